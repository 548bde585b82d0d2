/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where every nanosecond of a thread goes: on a CPU, waiting for one, or blocked, and in which
 * stack. The contract with user space is in events.h and wall_events.h.
 *
 * Best from Linux 5.18: BTF tracepoints, a record in each task, and the state with which a thread
 * leaves as an argument of sched_switch. Before that, raw tracepoints and a table by thread id
 * (the programs named ..._by_id).
 *
 * sched_switch runs with the run queue locked: nothing here allocates memory there, except with
 * wall_tracks_late. Records are made by the iterator and where a thread is started.
 */
#include "profiler_sample.h"
#include "wall_switch.h"
#include "wall_listing.h"

INLINE void count_untracked(struct wall *wall)
{
	if (!wall->paused && wanted(bpf_get_current_pid_tgid() >> 32))
		wall->count->untracked++;
}

/* ---- By records in tasks ---- */

INLINE int switched(u64 *arguments, bool walks)
{
	struct task_struct *prev = (void *)arguments[1], *next = (void *)arguments[2];
	struct thread_record *thread;
	struct wall wall;

	if (!wall_begin(&wall))
		return 0; /* arrays: cannot happen */
	/* The idle task has no record. */
	thread = bpf_task_storage_get(&threads, next, NULL, 0);
	if (thread)
		arrive(&wall, thread);
	if ((u32)bpf_get_current_pid_tgid() == 0)
		return 0;
	thread = bpf_task_storage_get(&threads, prev, NULL, wall_tracks_late ? STORAGE_CREATE : 0);
	if (thread)
		leave(arguments, &wall, thread, arguments[0], (u32)arguments[3], walks);
	else
		count_untracked(&wall);
	return 0;
}

SEC("tp_btf/sched_switch")
int wall_switch(u64 *arguments)
{
	return switched(arguments, 0);
}

/* The same, with user stacks walked by unwind rows. x86-64. */
SEC("tp_btf/sched_switch")
int wall_switch_walk(u64 *arguments)
{
	return switched(arguments, 1);
}

/* (task): somebody wakes it. */
SEC("tp_btf/sched_waking")
int wall_waking(u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	struct thread_record *thread;
	struct wall wall;

	if (!wall_begin(&wall))
		return 0; /* arrays: cannot happen */
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread)
		wake(&wall, thread);
	return 0;
}

INLINE int woken_by(u64 *arguments, bool walks)
{
	struct task_struct *task = (void *)arguments[0];
	struct thread_record *thread;
	struct wall wall;

	if (!wall_begin(&wall))
		return 0; /* arrays: cannot happen */
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread && wake(&wall, thread))
		keep_waker(arguments, &wall, thread, task, walks);
	return 0;
}

/* The same, and who it is. */
SEC("tp_btf/sched_waking")
int wall_waker(u64 *arguments)
{
	return woken_by(arguments, 0);
}

/* The same, with user stacks walked by unwind rows. x86-64. */
SEC("tp_btf/sched_waking")
int wall_waker_walk(u64 *arguments)
{
	return woken_by(arguments, 1);
}

/* (task, flags): the current thread has made another, which has not run. */
SEC("tp_btf/task_newtask")
int wall_start(u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	struct thread_record *thread;
	struct wall wall;

	if (!wall_begin(&wall))
		return 0; /* arrays: cannot happen */
	thread = bpf_task_storage_get(&threads, task, NULL, STORAGE_CREATE);
	if (!thread) {
		ADD_ONE(&wall.count->threads_lost);
		return 0;
	}
	thread->born = thread->left = wall.now;
	thread->state = THREAD_WOKEN;
	return 0;
}

/* (task): the current thread ends. Its last word to the filters, before they forget its process. */
SEC("tp_btf/sched_process_exit")
int wall_exit(u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	struct thread_record *thread = bpf_task_storage_get(&threads, task, NULL, 0);

	if (thread)
		thread->verdict = wanted(bpf_get_current_pid_tgid() >> 32) ? VERDICT_WANTED :
									       VERDICT_UNWANTED;
	return 0;
}

/* ---- By a table of records ---- */

/* Arguments of a raw tracepoint: one 64-bit word each. */
struct raw_tracepoint {
	u64 args[3];
};

SEC("raw_tp/sched_switch")
int wall_switch_by_id(struct raw_tracepoint *context)
{
	u32 prev = (u32)bpf_get_current_pid_tgid(), next = id_of(context->args[2]);
	struct thread_record *thread;
	struct wall wall;
	u64 state;

	if (!wall_begin(&wall))
		return 0; /* arrays: cannot happen */
	thread = next ? record_by_id(next) : NULL;
	if (thread)
		arrive(&wall, thread);
	if (prev == 0)
		return 0;
	thread = record_by_id(prev);
	if (!thread) {
		count_untracked(&wall);
		return 0;
	}
	state = state_field((const struct task_struct___thread *)context->args[1]);
	if (leave(context, &wall, thread, context->args[0], state, 0))
		bpf_map_delete_elem(&threads_by_id, &prev);
	return 0;
}

SEC("raw_tp/sched_waking")
int wall_waking_by_id(struct raw_tracepoint *context)
{
	u32 id = id_of(context->args[0]);
	struct thread_record *thread;
	struct wall wall;

	if (!wall_begin(&wall))
		return 0; /* arrays: cannot happen */
	thread = record_by_id(id);
	if (thread)
		wake(&wall, thread);
	return 0;
}

SEC("raw_tp/sched_waking")
int wall_waker_by_id(struct raw_tracepoint *context)
{
	u32 id = id_of(context->args[0]);
	struct thread_record *thread;
	struct wall wall;

	if (!wall_begin(&wall))
		return 0; /* arrays: cannot happen */
	thread = record_by_id(id);
	if (thread && wake(&wall, thread))
		keep_waker(context, &wall, thread, (const void *)context->args[0], 0);
	return 0;
}

SEC("raw_tp/task_newtask")
int wall_start_by_id(struct raw_tracepoint *context)
{
	struct thread_record *thread;
	struct wall wall;

	if (!wall_begin(&wall))
		return 0; /* arrays: cannot happen */
	thread = record_by_id(id_of(context->args[0]));
	if (!thread) {
		ADD_ONE(&wall.count->threads_lost);
		return 0;
	}
	thread->born = thread->left = wall.now;
	thread->state = THREAD_WOKEN;
	return 0;
}

SEC("raw_tp/sched_process_exit")
int wall_exit_by_id(struct raw_tracepoint *context)
{
	u32 id = (u32)bpf_get_current_pid_tgid();
	struct thread_record *thread = bpf_map_lookup_elem(&threads_by_id, &id);

	if (thread)
		thread->verdict = wanted(bpf_get_current_pid_tgid() >> 32) ? VERDICT_WANTED :
									       VERDICT_UNWANTED;
	return 0;
}

/* ---- Both ---- */

SEC("perf_event")
int wall_sample(struct bpf_perf_event_data *context)
{
	return sample(context, 0);
}

SEC("perf_event")
int wall_sample_walk(struct bpf_perf_event_data *context)
{
	return sample(context, 1);
}

LICENSE("GPL");
