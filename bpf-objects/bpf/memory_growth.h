/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who grows: page faults, mappings, the program break, resident pages, and whom the kernel killed
 * for want of memory. Everything by process; where, by stack, for mappings and for a random one in
 * so many page faults.
 */
#ifndef SWIFT_EBPF_MEMORY_GROWTH_H
#define SWIFT_EBPF_MEMORY_GROWTH_H

#include "memory_sampling.h"
#include "memory_stacks.h"
#include "registers.h"

/* Arguments of a raw tracepoint: one 64-bit word each. */
struct raw_tracepoint {
	u64 args[3];
};

/* Lowest address of the kernel's half, on every 64-bit machine. */
#define KERNEL_HALF (1ULL << 63)

/* Looks up who runs. NULL when what happens is not to be recorded, which is counted. With `weight`
 * only some are picked, and it says how many the present one stands for. */
INLINE struct memory_process *current_process(struct memory_control *control,
					      struct memory_counters *count,
					      struct memory_thread **thread_found, u32 *weight)
{
	u64 pid_tgid = bpf_get_current_pid_tgid();
	u32 paused = READ_ONCE(control->paused);
	struct memory_process *process;
	struct memory_thread *thread;

	if (paused == MEMORY_IDLE)
		return NULL;
	if (!process_wanted(pid_tgid >> 32)) {
		ADD_ONE(&count->filtered);
		return NULL;
	}
	if (paused == MEMORY_PAUSED) {
		ADD_ONE(&count->paused);
		return NULL;
	}
	if (is_executing((const void *)bpf_get_current_task())) {
		ADD_ONE(&count->unowned);
		return NULL;
	}
	if (weight) {
		*weight = sampling_weight();
		if (*weight == 0) {
			ADD_ONE(&count->sampled_out);
			return NULL;
		}
	}
	thread = thread_entry(pid_tgid, count);
	if (!thread) {
		ADD_ONE(&count->threads_lost);
		return NULL;
	}
	process = process_entry(&thread->process, count);
	if (!process) {
		ADD_ONE(&count->processes_lost);
		return NULL;
	}
	*thread_found = thread;
	return process;
}

/* A page of user memory that is not there was touched. */
static NOINLINE int page_fault(void *context, u64 address)
{
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_process *process;
	struct memory_thread *thread;
	struct memory_site site = {};
	u32 period, weight = 1;

	if (!control || !count || address >= KERNEL_HALF)
		return 0;
	process = current_process(control, count, &thread, &weight);
	if (!process)
		return 0;
	ADD(&process->faults, weight);
	ADD(&count->faults, weight);
	if (UNLIKELY(weight > 1))
		ADD(&count->faults_added, weight - 1);
	period = control->fault_period;
	if (period == 0)
		return 0;
	if (period > 1 && bpf_get_prandom_u32() > ~0U / period)
		return 0;
	note_first_event(count, bpf_ktime_get_ns());
	ADD_ONE(&count->fault_stacks);
	site.process = thread->process;
	site.kind = SITE_FAULT;
	take_site_stack(context, &site, thread, control, count);
	count_at(&site, (u64)period * weight, 0, count);
	return 0;
}

/* (address, registers, error code) */
SEC("raw_tp/page_fault_user")
int memory_fault_user(struct raw_tracepoint *context)
{
	return page_fault(context, context->args[0]);
}

/* The kernel touched it, on behalf of a system call; or it only tried, as a walk along frame pointers
 * does, and then no page comes. */
SEC("raw_tp/page_fault_kernel")
int memory_fault_kernel(struct raw_tracepoint *context)
{
	const struct task_struct___memory *task = (const void *)bpf_get_current_task();
	int tries = 0;

	core_read(&tries, task, pagefault_disabled);
	if (tries != 0)
		return 0;
	return page_fault(context, context->args[0]);
}

/* The software event page-faults, on machines without those tracepoints. */
SEC("perf_event")
int memory_fault_event(void *context)
{
	return page_fault(context, 0);
}

/* ---- Resident pages ---- */

/* What a task's process runs now; NULL when nothing of it was recorded. */
INLINE struct memory_process *process_of(const struct task_struct___memory *task,
					 struct process_id *id)
{
	struct process_id *program;
	u32 tgid = 0;

	core_read(&tgid, task, tgid);
	id->tgid = tgid;
	program = bpf_map_lookup_elem(&programs, &tgid);
	if (!program)
		return NULL;
	*id = *program;
	return bpf_map_lookup_elem(&processes, id);
}

/* One of an address space's counters of pages changed, by its own process or by another. */
SEC("raw_tp/rss_stat")
int memory_rss(struct raw_tracepoint *context)
{
	const struct mm_struct___memory *mm = (const void *)context->args[0];
	const struct task_struct___memory *task = (const void *)bpf_get_current_task();
	const struct mm_struct___memory *own = NULL;
	u32 kind = context->args[1];
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_process *process;
	struct memory_thread *thread;
	struct process_id id = {};
	u64 resident, now, last;

	if (!control || !count || kind >= PAGE_KINDS)
		return 0;
	ADD_ONE(&count->rss_events);
	if (READ_ONCE(count->rss_events) % RSS_PERIOD != 0)
		return 0;
	core_read(&own, task, mm);
	if (own == mm) {
		process = current_process(control, count, &thread, NULL);
		if (!process)
			return 0;
	} else {
		const struct task_struct___memory *owner = NULL;

		if (core_field_exists(((struct mm_struct___memory *)0)->owner))
			core_read(&owner, mm, owner);
		/* The current task's other space is that of the program it is about to become. */
		process = owner && owner != task ? process_of(owner, &id) : NULL;
		if (!process) {
			ADD_ONE(&count->unowned);
			return 0;
		}
		if (READ_ONCE(control->paused) != MEMORY_RECORDS) {
			ADD_ONE(&count->paused);
			return 0;
		}
	}
	ADD_ONE(&count->rss_updates);
	process->pages[kind] = resident_pages(mm, kind);
	resident = process->pages[PAGES_FILE] + process->pages[PAGES_ANONYMOUS] +
		   process->pages[PAGES_SHARED];
	if (resident > process->peak_pages)
		process->peak_pages = resident;
	now = bpf_ktime_get_ns();
	last = process->history[(process->points - 1) % MEMORY_HISTORY].time;
	if (process->points != 0 && now - last < control->history_interval)
		return 0;
	process->history[process->points % MEMORY_HISTORY].time = now;
	process->history[process->points % MEMORY_HISTORY].pages = resident;
	process->points++;
	return 0;
}

/* (victim, user) since Linux 6.10; before (victim's process id) */
SEC("raw_tp/mark_victim")
int memory_victim(struct raw_tracepoint *context)
{
	struct memory_counters *count = counts();
	struct memory_victim_event *event;
	struct memory_process *process;
	u64 first = context->args[0];
	struct process_id id = {};

	if (!count)
		return 0; /* an array: cannot happen */
	ADD_ONE(&count->victims);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		ADD_ONE(&count->events_lost);
		return 0;
	}
	event->kind = MEMORY_VICTIM_EVENT;
	event->padding = 0;
	event->time = bpf_ktime_get_ns();
	if (first >= KERNEL_HALF) {
		process = process_of((const void *)first, &id);
	} else {
		struct process_id *program;
		u32 tgid = first;

		id.tgid = tgid;
		program = bpf_map_lookup_elem(&programs, &tgid);
		if (program)
			id = *program;
		process = bpf_map_lookup_elem(&processes, &id);
	}
	event->process = id;
	if (process)
		event->growth = *process;
	else
		__builtin_memset(&event->growth, 0, sizeof(event->growth));
	bpf_ringbuf_submit(event, RING_FORCE_WAKEUP);
	return 0;
}

#endif
