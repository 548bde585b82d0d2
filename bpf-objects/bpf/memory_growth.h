/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who grows: page faults, mappings, the program break, resident pages, and whom the kernel killed
 * for want of memory. Everything by process; where, by stack, for mappings and for a random one in
 * so many page faults.
 */
#ifndef SWIFT_EBPF_MEMORY_GROWTH_H
#define SWIFT_EBPF_MEMORY_GROWTH_H

#include "memory_sampling.h"
#include "memory_state.h"
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
	take_site_stack(context, &site, control, count);
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

/* ---- System calls ---- */

enum mapping_call { CALL_MMAP, CALL_MUNMAP, CALL_MREMAP, CALL_BRK, CALL_OTHER };

/* A system call's arguments: what registers.h calls a function's, but for the fourth. */
INLINE u32 mapping_call(u64 number)
{
	if (ON_X86_64) {
		switch (number) { /* arch/x86/entry/syscalls/syscall_64.tbl */
		case 9: return CALL_MMAP;
		case 11: return CALL_MUNMAP;
		case 12: return CALL_BRK;
		case 25: return CALL_MREMAP;
		}
	} else {
		switch (number) { /* include/uapi/asm-generic/unistd.h */
		case 222: return CALL_MMAP;
		case 215: return CALL_MUNMAP;
		case 214: return CALL_BRK;
		case 216: return CALL_MREMAP;
		}
	}
	return CALL_OTHER;
}

INLINE u64 program_break(void)
{
	const struct task_struct___memory *task = (const void *)bpf_get_current_task();
	const struct mm_struct___memory *mm;
	u64 end = 0;

	if (core_read(&mm, task, mm) == 0 && mm)
		core_read(&end, mm, brk);
	return end;
}

/* Registers of another context than the program's are read, not loaded. */
#define READ_KERNEL_REGISTER(name, x86_64_field, aarch64_field) \
	INLINE u64 name(const void *registers) \
	{ \
		u64 value = 0; \
\
		if (ON_X86_64) \
			core_read(&value, (const struct pt_regs___x86_64 *)registers, \
				  x86_64_field); \
		else \
			core_read(&value, (const struct pt_regs___aarch64 *)registers, \
				  aarch64_field); \
		return value; \
	}

READ_KERNEL_REGISTER(call_first, di, regs[0])
READ_KERNEL_REGISTER(call_second, si, regs[1])
READ_KERNEL_REGISTER(call_third, dx, regs[2])

/* (registers, number) */
SEC("raw_tp/sys_enter")
int memory_call_enter(struct raw_tracepoint *context)
{
	const void *registers = (const void *)context->args[0];
	u32 call = mapping_call(context->args[1]);
	struct memory_control *control;
	struct memory_counters *count;
	struct memory_process *process;
	struct memory_thread *thread;

	if (LIKELY(call == CALL_OTHER))
		return 0;
	control = settings();
	count = counts();
	if (!control || !count)
		return 0; /* arrays: cannot happen */
	process = current_process(control, count, &thread, NULL);
	if (!process)
		return 0;
	thread->call = (u64)control->generation << 32 | (call + 1);
	thread->call_size = call_second(registers);
	thread->call_before = 0;
	if (call == CALL_BRK)
		thread->call_before = program_break();
	if (call == CALL_MREMAP) {
		thread->call_before = thread->call_size;
		thread->call_size = call_third(registers);
	}
	return 0;
}

INLINE void mapping_grew(void *context, u32 kind, u64 bytes, struct memory_thread *thread,
			 struct memory_control *control, struct memory_counters *count)
{
	struct memory_site site = {};

	note_first_event(count, bpf_ktime_get_ns());
	site.process = thread->process;
	site.kind = kind;
	take_site_stack(context, &site, control, count);
	count_at(&site, 1, bytes, count);
}

static NOINLINE int mapping_done(void *context, struct memory_thread *thread, u64 result)
{
	u64 call = (u32)thread->call - 1, size = thread->call_size, before = thread->call_before;
	u32 generation = thread->call >> 32;
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_process *process;

	thread->call = 0;
	/* The return of another generation's call may have been one that nobody saw. */
	if (!control || !count || generation != control->generation)
		return 0;
	process = bpf_map_lookup_elem(&processes, &thread->process);
	if (!process) {
		ADD_ONE(&count->processes_lost);
		return 0;
	}
	/* The last page of addresses holds error numbers. */
	if (result > -4096ULL || (call == CALL_BRK && result == before) ||
	    (call == CALL_MREMAP && size == before)) {
		ADD_ONE(&count->mapping_failures);
		return 0;
	}
	ADD_ONE(&count->mappings);
	if (call == CALL_MMAP || (call == CALL_MREMAP && size > before)) {
		if (call == CALL_MREMAP)
			size -= before;
		ADD_ONE(&process->maps);
		ADD(&process->mapped_bytes, size);
		mapping_grew(context, SITE_MAP, size, thread, control, count);
	} else if (call == CALL_BRK && result > before) {
		ADD(&process->break_grown_bytes, result - before);
		mapping_grew(context, SITE_BREAK, result - before, thread, control, count);
	} else if (call == CALL_BRK) {
		ADD(&process->break_shrunk_bytes, before - result);
	} else {
		if (call == CALL_MREMAP)
			size = before - size;
		ADD_ONE(&process->unmaps);
		ADD(&process->unmapped_bytes, size);
	}
	return 0;
}

/* (registers, result) */
SEC("raw_tp/sys_exit")
int memory_call_exit(struct raw_tracepoint *context)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct memory_thread *thread = bpf_map_lookup_elem(&threads, &tid);

	if (!thread || thread->call == 0)
		return 0;
	return mapping_done(context, thread, context->args[1]);
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

/* ---- The life of processes ---- */

/* (parent, child) */
SEC("raw_tp/sched_process_fork")
int memory_fork(struct raw_tracepoint *context)
{
	struct memory_counters *count = counts();

	if (!filter_follow_fork((const void *)context->args[0], (const void *)context->args[1]) &&
	    count)
		ADD_ONE(&count->follow_lost);
	return 0;
}

/* Tells the reader that a process ended, or what it ran; what is not told stays in `processes` until
 * the end, so nothing is lost. */
INLINE void forget_program(u32 tgid)
{
	struct process_id *program = bpf_map_lookup_elem(&programs, &tgid);
	struct memory_exit_event *event;

	if (!program)
		return;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) {
		event->kind = MEMORY_EXIT_EVENT;
		event->padding = 0;
		event->process = *program;
		bpf_ringbuf_submit(event, 0);
	}
	bpf_map_delete_elem(&programs, &tgid);
}

/* (task, old thread id, program) */
SEC("raw_tp/sched_process_exec")
int memory_exec(struct raw_tracepoint *context)
{
	u64 pid_tgid = bpf_get_current_pid_tgid();
	u32 tid = pid_tgid, tgid = pid_tgid >> 32, old_tid = context->args[1];
	struct memory_counters *count = counts();
	struct process_id id;

	/* Its number, and what it was doing, were another program's. */
	bpf_map_delete_elem(&threads, &old_tid);
	if (tid != old_tid)
		bpf_map_delete_elem(&threads, &tid);
	forget_program(tgid);
	if (!count || !process_wanted(tgid))
		return 0;
	identify_process((const void *)bpf_get_current_task(), &id);
	announce(&id, 1, bpf_ktime_get_ns(), count);
	return 0;
}

/* (task) */
SEC("raw_tp/sched_process_exit")
int memory_exit(struct raw_tracepoint *context)
{
	const struct task_struct___memory *task = (const void *)context->args[0];
	const struct signal_struct___memory *signal;
	u64 pid_tgid = bpf_get_current_pid_tgid(), most = 0;
	struct memory_process *process;
	struct process_id id = {};
	u32 tid = pid_tgid;
	int threads_left = 0;

	bpf_map_delete_elem(&threads, &tid);
	filter_forget_exit((const void *)context->args[0]);
	if (core_read(&signal, task, signal) != 0 ||
	    core_read(&threads_left, signal, live.counter) != 0 || threads_left != 0)
		return 0;
	process = process_of(task, &id);
	if (process && core_read(&most, signal, maxrss) == 0 && most > process->peak_pages)
		process->peak_pages = most;
	forget_program(pid_tgid >> 32);
	return 0;
}

#endif
