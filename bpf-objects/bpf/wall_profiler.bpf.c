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
	filter_forget_exit((const void *)arguments[0]);
	return 0;
}

/* ---- By a table of records ---- */

/* Arguments of a raw tracepoint: one 64-bit word each. */
struct raw_tracepoint {
	u64 args[3];
};

INLINE u32 id_of(u64 task)
{
	u32 id = 0;

	core_read(&id, (const struct task_struct___thread *)task, pid);
	return id;
}

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
	filter_forget_exit((const void *)context->args[0]);
	return 0;
}

/* ---- Both ---- */

/* A followed process starts another: follow that too. (parent, child) */
SEC("raw_tp/sched_process_fork")
int wall_fork(struct raw_tracepoint *context)
{
	struct profiler_counters *count;
	u32 zero = 0;

	if (filter_follow_fork((const void *)context->args[0], (const void *)context->args[1]))
		return 0;
	count = bpf_map_lookup_elem(&counters, &zero);
	if (count)
		ADD_ONE(&count->follow_lost);
	return 0;
}

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

/* ---- Threads that are there ---- */

HELPER(long, bpf_seq_write, 127, void *file, const void *data, u32 size);

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} CORE;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;

/* Where an iterator puts a record together: it may be preempted, but only one runs at a time. */
struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wall_thread_event);
} listing SEC(".maps");

/* Looks at a thread that is there before the recording; names its process to user space, where it is
 * one of few that are wanted. */
INLINE int meet_thread(struct bpf_iter_meta *meta, const struct task_struct *task,
		       struct thread_record *thread)
{
	const struct task_struct___thread *who = (const struct task_struct___thread *)task;
	const struct process_filter *filter;
	const struct task_struct *leader = NULL;
	struct process_id process = {};
	u32 zero = 0;
	bool on_cpu;

	if (!thread->before) {
		core_read(&thread->ran, who, se.sum_exec_runtime);
		thread->before = present_state(who, &on_cpu);
	}
	filter = bpf_map_lookup_elem(&filter_control, &zero);
	core_read(&leader, task, group_leader);
	if (!filter || filter->flags == 0 || leader != task || !thread_wanted(who))
		return 0;
	core_read(&process.tgid, who, tgid);
	core_read(&process.start, task, start_boottime);
	process.image = image_of(task);
	if (process.image)
		bpf_seq_write(meta->seq, &process, sizeof(process));
	return 0;
}

/* Makes the records of threads that are there before the recording. */
SEC("iter/task")
int wall_meet(struct bpf_iter__task *context)
{
	struct bpf_iter_meta *meta = context->meta;
	struct task_struct *task = context->task;
	struct thread_record *thread;
	struct wall wall;

	if (!task || !wall_begin(&wall))
		return 0;
	thread = bpf_task_storage_get(&threads, task, NULL, STORAGE_CREATE);
	if (thread)
		return meet_thread(meta, task, thread);
	ADD_ONE(&wall.count->threads_lost);
	return 0;
}

SEC("iter/task")
int wall_meet_by_id(struct bpf_iter__task *context)
{
	struct bpf_iter_meta *meta = context->meta;
	struct task_struct *task = context->task;
	struct thread_record *thread;
	struct wall wall;

	if (!task || !wall_begin(&wall))
		return 0;
	thread = record_by_id(id_of((u64)task));
	if (thread)
		return meet_thread(meta, task, thread);
	ADD_ONE(&wall.count->threads_lost);
	return 0;
}

INLINE int list(struct bpf_iter_meta *meta, const struct task_struct *task,
		const struct thread_record *thread)
{
	const struct task_struct___thread *who = (const struct task_struct___thread *)task;
	const struct task_struct *leader = NULL;
	struct wall_thread_event *event;
	u32 zero = 0, task_flags = 0;
	bool on_cpu;

	event = bpf_map_lookup_elem(&listing, &zero);
	if (!event)
		return 0; /* an array: cannot happen */
	event->kind = WALL_THREAD_EVENT;
	event->flags = thread_wanted(who) ? WALL_THREAD_WANTED : 0;
	core_read(&task_flags, task, flags);
	if (task_flags & PF_KTHREAD)
		event->flags |= WALL_THREAD_KERNEL;
	event->tid = id_of((u64)task);
	event->state = present_state(who, &on_cpu);
	if (on_cpu)
		event->flags |= WALL_THREAD_ON_CPU;
	event->process.tgid = 0;
	event->process.start = 0;
	event->process.image = 0;
	event->process.padding = 0;
	core_read(&event->process.tgid, who, tgid);
	if (core_read(&leader, task, group_leader) == 0)
		core_read(&event->process.start, leader, start_boottime);
	core_read(&event->command, who, comm);
	if (thread) {
		event->record = *thread;
	} else {
		event->flags |= WALL_THREAD_LATE;
		event->record = blank_record;
	}
	bpf_seq_write(meta->seq, event, sizeof(*event));
	return 0;
}

/* Lists the threads that live, with their records. */
SEC("iter/task")
int wall_list(struct bpf_iter__task *context)
{
	struct bpf_iter_meta *meta = context->meta;
	struct task_struct *task = context->task;

	if (!task)
		return 0;
	return list(meta, task, bpf_task_storage_get(&threads, task, NULL, 0));
}

SEC("iter/task")
int wall_list_by_id(struct bpf_iter__task *context)
{
	struct bpf_iter_meta *meta = context->meta;
	struct task_struct *task = context->task;
	u32 id;

	if (!task)
		return 0;
	id = id_of((u64)task);
	return list(meta, task, bpf_map_lookup_elem(&threads_by_id, &id));
}

LICENSE("GPL");
