/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps pid_filter true while processes start and end. One pair of programs for all tracers that have
 * that map in common (ProcessFollowing.swift), loaded where processes are named.
 *
 *   map           type    key        value
 *   pid_filter    hash    pid_filter.h, of a tracer
 *   follow_lost   array   u32 (0)    u64 started processes that found pid_filter full
 */
#include "pid_filter.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} follow_lost SEC(".maps");

/* The kernel fields that are read; the loader finds them by name, whatever the suffix. */
struct signal_struct___following {
	struct {
		int counter;
	} live;
} CORE;

struct task_struct___following {
	int tgid;
	struct signal_struct___following *signal;
} CORE;

/* Arguments of a raw tracepoint: one 64-bit word each. */
struct raw_tracepoint {
	u64 args[3];
};

/* (parent, child): a followed process starts another, which is followed, too. */
SEC("raw_tp/sched_process_fork")
int follow_fork(struct raw_tracepoint *context)
{
	const struct task_struct___following *parent = (const void *)context->args[0];
	const struct task_struct___following *child = (const void *)context->args[1];
	u32 parent_tgid, child_tgid, *how, value, zero = 0;
	u64 *lost;

	if (core_read(&parent_tgid, parent, tgid) != 0 || core_read(&child_tgid, child, tgid) != 0)
		return 0;
	if (parent_tgid == child_tgid) /* a thread */
		return 0;
	how = bpf_map_lookup_elem(&pid_filter, &parent_tgid);
	if (!how || !(*how & PID_FILTER_FOLLOW))
		return 0;
	value = *how;
	if (bpf_map_update_elem(&pid_filter, &child_tgid, &value, UPDATE_ANY) == 0)
		return 0;
	lost = bpf_map_lookup_elem(&follow_lost, &zero);
	if (lost)
		ADD_ONE(lost);
	return 0;
}

/* (task): a process ends with its last thread; its number may be used again by a stranger. Attached
 * after the programs that ask the filter at this tracepoint: they run first. */
SEC("raw_tp/sched_process_exit")
int follow_exit(struct raw_tracepoint *context)
{
	const struct task_struct___following *task = (const void *)context->args[0];
	const struct signal_struct___following *signal;
	int threads_left;
	u32 tgid;

	if (core_read(&signal, task, signal) != 0 ||
	    core_read(&threads_left, signal, live.counter) != 0 || threads_left != 0)
		return 0;
	if (core_read(&tgid, task, tgid) == 0)
		bpf_map_delete_elem(&pid_filter, &tgid);
	return 0;
}

LICENSE("GPL");
