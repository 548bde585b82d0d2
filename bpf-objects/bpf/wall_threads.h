/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of each thread, and what the kernel says of it. Included once by an object, after
 * profiler_capture.h. The contract is in wall_events.h.
 */
#ifndef SWIFT_EBPF_WALL_THREADS_H
#define SWIFT_EBPF_WALL_THREADS_H

#include "profiler_capture.h"
#include "task_filter.h"
#include "wall_events.h"

HELPER(void *, bpf_task_storage_get, 156, void *map, void *task, void *value, u64 flags);
#define STORAGE_CREATE 1ULL

/* Of task_struct.__state (include/linux/sched.h). */
#define TASK_INTERRUPTIBLE 0x1
#define TASK_UNINTERRUPTIBLE 0x2
#define TASK_STOPPED_OR_TRACED 0xc
#define TASK_DEAD 0x80
#define TASK_NOLOAD 0x400

struct sched_entity {
	u64 sum_exec_runtime;
} CORE;

struct task_struct___thread {
	struct sched_entity se;
	unsigned int flags;
	int on_cpu;
	int on_rq;
	int pid;
	int tgid;
	unsigned int __state;
	unsigned int in_iowait : 1;
	struct task_struct___thread *group_leader;
	char comm[COMMAND_LENGTH];
} CORE;

/* Before Linux 5.14. */
struct task_struct___old {
	long state;
} CORE;

/* Set before the programs are loaded. */
const volatile u64 wall_min_wait = 0;    /* waits shorter than this are counted without stacks; ns */
const volatile u32 wall_takes_wakers = 0; /* count blocked time with the stacks of who ended it */
const volatile u32 wall_tracks_late = 0; /* take in threads at their first switch: when the iterator
					  * cannot see all */

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} wall_clock SEC(".maps");

struct {
	__uint(type, MAP_TASK_STORAGE);
	__uint(map_flags, MAP_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_record);
} threads SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 32768);
	__type(key, u32);
	__type(value, struct thread_record);
} threads_by_id SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wall_counters);
} wall_counters SEC(".maps");

static const struct thread_record blank_record;

INLINE u64 recorded_time(u64 clock)
{
	return clock & CLOCK_STOPPED ? clock & ~CLOCK_STOPPED : bpf_ktime_get_ns() - clock;
}

INLINE u64 later(u64 one, u64 other)
{
	return one > other ? one : other;
}

/* The record of a thread by its id, made if it is not there. */
INLINE struct thread_record *record_by_id(u32 tid)
{
	struct thread_record *thread = bpf_map_lookup_elem(&threads_by_id, &tid);

	if (thread)
		return thread;
	bpf_map_update_elem(&threads_by_id, &tid, &blank_record, UPDATE_NOEXIST);
	return bpf_map_lookup_elem(&threads_by_id, &tid);
}

/* Why a thread is off the CPU, by the state it was in when it left. */
INLINE u32 waiting_state(const struct task_struct___thread *task, u64 state)
{
	if (state & TASK_DEAD)
		return THREAD_DEAD;
	if (state & TASK_STOPPED_OR_TRACED)
		return THREAD_STOPPED;
	if (!(state & (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)))
		return THREAD_OTHER;
	if (core_read_bits(task, in_iowait))
		return THREAD_IO;
	if (state & TASK_INTERRUPTIBLE)
		return THREAD_SLEEPING;
	return state & TASK_NOLOAD ? THREAD_IDLE : THREAD_DISK;
}

/* The state field, whatever its name and size. */
INLINE u64 state_field(const struct task_struct___thread *task)
{
	unsigned int state = 0;
	long old = 0;

	if (core_field_exists(task->__state)) {
		core_read(&state, task, __state);
		return state;
	}
	core_read(&old, (const struct task_struct___old *)task, state);
	return old;
}

/* What a thread does now, for one that is not the current one. */
INLINE u32 present_state(const struct task_struct___thread *task, bool *on_cpu)
{
	int running = 0, queued = 0;
	u64 state;

	core_read(&running, task, on_cpu);
	*on_cpu = running != 0;
	if (running)
		return THREAD_RUNNING;
	core_read(&queued, task, on_rq);
	state = state_field(task);
	/* Since 6.12 a thread that waits may stay on the queue for a while. */
	return queued && state == 0 ? THREAD_WOKEN :
	       state == 0	    ? THREAD_OTHER :
				      waiting_state(task, state);
}

#endif
