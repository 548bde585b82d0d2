/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maps of memory.bpf.c and what all its programs do with them: who is running, what is counted
 * for whom, what goes through the ring.
 */
#ifndef SWIFT_EBPF_MEMORY_STATE_H
#define SWIFT_EBPF_MEMORY_STATE_H

#include "compat.h"
#include "economy.h"
#include "memory_events.h"

#define EEXIST 17
#define PF_KTHREAD 0x00200000

struct task_struct___memory {
	unsigned int flags;
	int tgid;
	int pagefault_disabled;
	u64 start_boottime;
	unsigned in_execve : 1;
	struct task_struct___memory *group_leader;
	struct mm_struct___memory *mm;
	struct signal_struct___memory *signal;
	char comm[COMMAND_LENGTH];
} CORE;

struct signal_struct___memory {
	struct {
		int counter;
	} live;
	u64 maxrss; /* the most pages that were resident, set when the last thread ends */
} CORE;

struct mm_struct___memory {
	struct task_struct___memory *owner;
	u64 brk;
} CORE;

/* A call of the allocator or of the kernel that a thread is in. */
struct memory_thread {
	struct process_id process;
	u64 stack_pointer;        /* at the allocator's entry; 0: not in it */
	u64 return_address;       /* what was there; 0: not known, or not needed */
	u64 size;                 /* asked for */
	u64 pointer;              /* the block given to realloc, or where the result will be stored */
	u32 function;             /* enum allocator_function */
	u32 flags;                /* enum thread_flags */
	u64 tail_calls;           /* of another function that will return in place of this one */
	struct memory_block old;  /* what realloc took out of `live`, then what it gave out */
	s64 left;                 /* bytes until the next sample */
	u32 left_factor;          /* of the mean that `left` was drawn with */
	u32 factor;               /* of the call it is in: memory_site.factor */
	u64 call;                 /* the system call, plus 1; 0: none. Above: its generation */
	u64 call_size;
	u64 call_before;          /* the program break, or the size before */
};

enum thread_flags {
	CALL_UNWANTED = 1 << 0,  /* paused, or not picked: nothing is recorded when it returns */
	CALL_TOOK_BLOCK = 1 << 1, /* `old` is filled */
	CALL_RELEASES = 1 << 2,   /* `old` was taken while paused or not wanted */
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct memory_control);
} control SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct memory_counters);
} counters SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 8192);
	__type(key, struct process_id);
	__type(value, struct memory_process);
} processes SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 8192);
	__type(key, u32);
	__type(value, struct process_id);
} programs SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct memory_thread);
} threads SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 65536);
	__type(key, struct memory_site);
	__type(value, struct memory_amount);
} sites SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 262144);
	__type(key, struct memory_address);
	__type(value, struct memory_block);
} live SEC(".maps");

/* New entries of `processes` and `threads` are made from these: too big for a program's stack. All
 * zero, and only read. */
struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct memory_process);
} empty_process SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct memory_thread);
} empty_thread SEC(".maps");

INLINE struct memory_counters *counts(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

INLINE struct memory_control *settings(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

/* For how many events the present one stands; 0: for none, it was not picked. */
INLINE u32 sampling_weight(void)
{
	u32 zero = 0;
	const struct economy *how = bpf_map_lookup_elem(&economy, &zero);

	return how ? economy_weight(how) : 1;
}

INLINE void note_first_event(struct memory_counters *count, u64 now)
{
	if (READ_ONCE(count->first_event) == 0)
		count->first_event = now;
}

/* Pages of an address space, by kind: until Linux 6.1 one structure of numbers … */
struct mm_rss_stat {
	struct {
		s64 counter;
	} count[PAGE_KINDS];
} CORE;

struct mm_struct___numbers {
	struct mm_rss_stat rss_stat;
} CORE;

/* … then an array of per-CPU counters, whose common part lags by a batch of pages for each CPU. */
struct percpu_counter {
	s64 count;
} CORE;

struct mm_struct___counters {
	struct percpu_counter rss_stat[PAGE_KINDS];
} CORE;

INLINE u64 resident_pages(const void *mm, u32 kind)
{
	const char *place = mm;
	s64 pages = 0;

	if (core_type_exists(struct mm_rss_stat)) {
		place += core_field_offset(((struct mm_struct___numbers *)0)->rss_stat);
		place += (u64)kind * sizeof(pages);
	} else {
		place += core_field_offset(((struct mm_struct___counters *)0)->rss_stat);
		place += (u64)kind * core_type_size(struct percpu_counter);
		place += core_field_offset(((struct percpu_counter *)0)->count);
	}
	bpf_probe_read_kernel(&pages, sizeof(pages), place);
	return pages > 0 ? pages : 0;
}

/* True from where exec gave the task its new memory to where the program in it begins. */
INLINE bool is_executing(const struct task_struct___memory *task)
{
	u64 bits = 0;

	bpf_probe_read_kernel(&bits, core_field_size(task->in_execve),
			      (const char *)task + core_field_offset(task->in_execve));
	bits <<= core_field_lshift(task->in_execve);
	return bits >> core_field_rshift(task->in_execve) != 0;
}

/* Which program of which process a task runs. */
INLINE void identify_process(const struct task_struct___memory *task, struct process_id *id)
{
	const struct task_struct___memory *leader;
	int tgid = 0;

	id->start = 0;
	core_read(&tgid, task, tgid);
	if (core_read(&leader, task, group_leader) == 0)
		core_read(&id->start, leader, start_boottime);
	id->image = image_of(task);
	id->tgid = tgid;
	id->padding = 0;
}

/* Tells the reader about a process early in its life, or of an address in it whose unwind rows are
 * wanted. */
INLINE void announce(const struct process_id *process, bool is_new_program, u64 wanted, u64 now,
		     struct memory_counters *count)
{
	struct memory_process_event *event;

	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		ADD_ONE(&count->events_lost);
		return;
	}
	event->kind = MEMORY_PROCESS_EVENT;
	event->is_new_program = is_new_program;
	event->is_compat = is_compat_program((const void *)bpf_get_current_task());
	event->process = *process;
	event->time = now;
	event->wanted = wanted;
	bpf_ringbuf_submit(event, RING_FORCE_WAKEUP);
}

/* The entry of a process, made when there is none; NULL when there is no room. */
static NOINLINE struct memory_process *process_entry(const struct process_id *id,
						     struct memory_counters *count)
{
	struct memory_process *process, *empty;
	const struct task_struct___memory *task = (const void *)bpf_get_current_task();
	const struct memory_control *control;
	const struct mm_struct___memory *mm;
	u32 zero = 0, tgid = id->tgid;
	u64 now;

	process = bpf_map_lookup_elem(&processes, id);
	if (process)
		return process;
	empty = bpf_map_lookup_elem(&empty_process, &zero);
	if (!empty)
		return NULL;
	bpf_map_update_elem(&processes, id, empty, UPDATE_NOEXIST);
	process = bpf_map_lookup_elem(&processes, id);
	if (!process)
		return NULL;
	now = bpf_ktime_get_ns();
	/* The process's name is that of its first thread. */
	if (core_read(&task, task, group_leader) == 0)
		core_read(&process->command, task, comm);
	process->cgroup = bpf_get_current_cgroup_id();
	process->first_seen = now;
	if (core_read(&mm, task, mm) == 0) {
		process->pages[PAGES_FILE] = resident_pages(mm, PAGES_FILE);
		process->pages[PAGES_ANONYMOUS] = resident_pages(mm, PAGES_ANONYMOUS);
		process->pages[PAGES_SWAP] = resident_pages(mm, PAGES_SWAP);
		process->pages[PAGES_SHARED] = resident_pages(mm, PAGES_SHARED);
	}
	bpf_map_update_elem(&programs, &tgid, id, UPDATE_ANY);
	control = settings();
	if (control && !(READ_ONCE(control->flags) & MEMORY_WATCHES_COMPAT) &&
	    is_compat_program((const void *)bpf_get_current_task()))
		ADD_ONE(&count->unwatched);
	announce(id, 0, 0, now, count);
	return process;
}

/* The entry of the current thread, made when there is none; NULL when there is no room. */
static NOINLINE struct memory_thread *thread_entry(u32 tid, struct memory_counters *count)
{
	struct memory_thread *thread, *empty;
	u32 zero = 0;

	thread = bpf_map_lookup_elem(&threads, &tid);
	if (thread)
		return thread;
	empty = bpf_map_lookup_elem(&empty_thread, &zero);
	if (!empty)
		return NULL;
	bpf_map_update_elem(&threads, &tid, empty, UPDATE_NOEXIST);
	thread = bpf_map_lookup_elem(&threads, &tid);
	if (!thread)
		return NULL;
	identify_process((const void *)bpf_get_current_task(), &thread->process);
	return thread;
}

/* Counts an event at its place; through the ring when there is no room. */
static NOINLINE int count_at(const struct memory_site *site, u64 events_counted, u64 bytes,
			     struct memory_counters *count)
{
	struct memory_amount first = { .count = events_counted, .bytes = bytes };
	struct memory_amount *amount = bpf_map_lookup_elem(&sites, site);
	struct memory_site_event *event;
	long status;

	if (!amount) {
		status = bpf_map_update_elem(&sites, site, &first, UPDATE_NOEXIST);
		if (status == 0)
			return 0;
		/* Another CPU may have been first. */
		if (status == -EEXIST)
			amount = bpf_map_lookup_elem(&sites, site);
	}
	if (amount) {
		ADD(&amount->count, events_counted);
		ADD(&amount->bytes, bytes);
		return 0;
	}
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		ADD_ONE(&count->sites_lost);
		return 0;
	}
	event->kind = MEMORY_SITE_EVENT;
	event->padding = 0;
	event->site = *site;
	event->amount = first;
	bpf_ringbuf_submit(event, 0);
	ADD_ONE(&count->sites_overflowed);
	return 0;
}

#endif
