/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that are there before the recording, and those that live at its end: iterators over tasks.
 */
#ifndef SWIFT_EBPF_WALL_LISTING_H
#define SWIFT_EBPF_WALL_LISTING_H

#include "wall_switch.h"

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
	if (!filter || filter->flags == 0 || leader != task || !task_wanted(who))
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
	event->flags = task_wanted(who) ? WALL_THREAD_WANTED : 0;
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

#endif
