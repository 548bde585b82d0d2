/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes user and kernel stacks of the current thread, and sends those that user space may not have
 * yet. The contract is in events.h. Included once by an object.
 *
 * Every program that uses it runs with interrupts off: one at a time on each CPU, so that the scratch
 * space is its own.
 */
#ifndef SWIFT_EBPF_PROFILER_CAPTURE_H
#define SWIFT_EBPF_PROFILER_CAPTURE_H

#include "helpers.h"
#include "economy.h"
#include "events.h"
#include "process_filter.h"
#include "stack_walk.h"

#define PF_KTHREAD 0x00200000
#define EEXIST 17

/* The few kernel fields we read, found by name on the running kernel. */
struct task_struct {
	unsigned int flags;
	u64 start_boottime;
	struct task_struct *group_leader;
} CORE;

/* Set before the program is loaded, so that the verifier skips what is not asked for. */
const volatile u32 profiler_flags = 0; /* enum profiler_flag_bits */

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct profiler_control);
} control SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, SENT_STACKS);
	__type(key, u32);
	__type(value, struct stack_id);
} sent_stacks SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, MET_PROCESSES);
	__type(key, u32);
	__type(value, struct met_process);
} met_processes SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct profiler_counters);
} counters SEC(".maps");

struct scratch {
	struct profiler_stack_event stack;
	union {
		struct profiler_sample_event sample;
		struct profiler_linked_event linked;
	};
};

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} events SEC(".maps");

/* A reader sleeps until enough is there to be worth its while. */
INLINE u64 wake_flags(const struct profiler_control *settings)
{
	u64 enough = settings->wake_bytes;

	if (enough == 0)
		enough = bpf_ringbuf_query(&events, RING_SIZE) / 4;
	return bpf_ringbuf_query(&events, RING_AVAILABLE) >= enough ? RING_FORCE_WAKEUP
								    : RING_NO_WAKEUP;
}

/* Global, so that the verifier looks at it once. */
NOINLINE int wanted(u32 tgid)
{
	return process_wanted(tgid);
}

#define HASHED_AT_ONCE 8

/* Puts a 128-bit hash of the addresses into stack->id. Each step can be undone, so that two stacks
 * differ until a later address cancels the difference in both halves at once. */
NOINLINE int identify(u32 depth)
{
	struct scratch *space;
	struct profiler_stack_event *stack;
	u32 zero = 0;
	u64 low, high;

	space = bpf_map_lookup_elem(&scratch, &zero);
	if (!space)
		return 0;
	stack = &space->stack;
	low = 0x9e3779b97f4a7c15ULL ^ depth;
	high = 0xd1b54a32d192ed03ULL + depth;
	/* Without a loop, which the verifier would walk more slowly. Past `depth` the helper wrote
	 * zeros. */
#pragma clang loop unroll(full)
	for (u32 i = 0; i < STACK_DEPTH; i++) {
		if (i % HASHED_AT_ONCE == 0 && i >= depth)
			break;
		low = (low ^ stack->addresses[i]) * 0xff51afd7ed558ccdULL;
		high = (high + (low >> 32)) * 0xc4ceb9fe1a85ec53ULL;
	}
	/* Never all zero, which means "no stack". */
	stack->id.low = low | 1;
	stack->id.high = high ^ (high >> 29);
	return 0;
}

INLINE void announce(const struct process_id *process, u64 now, u64 samples, u64 wanted,
		     struct profiler_counters *count)
{
	struct profiler_process_event *event;

	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count->process_events_lost++;
		return;
	}
	event->kind = PROFILER_PROCESS_EVENT;
	event->padding = 0;
	event->process = *process;
	event->time = now;
	event->samples = samples;
	event->wanted = wanted;
	event->cgroup = bpf_get_current_cgroup_id();
	bpf_ringbuf_submit(event, RING_FORCE_WAKEUP);
}

/* Tells the reader about a process early in its life. */
INLINE void meet(const struct process_id *process, u64 now, struct profiler_counters *count)
{
	struct met_process *met;
	u32 slot = process->tgid % MET_PROCESSES;
	u64 samples;

	met = bpf_map_lookup_elem(&met_processes, &slot);
	if (!met)
		return; /* an array: cannot happen */
	if (met->process.tgid == process->tgid && met->process.start == process->start &&
	    met->process.image == process->image) {
		ADD_ONE(&met->samples);
	} else {
		met->process = *process;
		met->samples = 1;
		met->strays = 0;
	}
	samples = READ_ONCE(met->samples);
	if (samples <= 64 && (samples & (samples - 1)) == 0)
		announce(process, now, samples, 0, count);
}

/* Tells the reader about a process that is first met at its end, or in exec, when it has no memory of its
 * own: of what group it is. */
INLINE void meet_without_image(const struct process_id *process, u64 now,
			       struct profiler_counters *count)
{
	u32 slot = process->tgid % MET_PROCESSES;
	const struct met_process *met = bpf_map_lookup_elem(&met_processes, &slot);

	if (!met || (met->process.tgid == process->tgid && met->process.start == process->start))
		return;
	announce(process, now, 0, 0, count);
}

enum capture { CAPTURE_NONE, CAPTURED, CAPTURE_LOST, CAPTURE_UNKNOWN };

/* Sends the `depth` addresses in the scratch space, if the reader may not have them yet, and leaves
 * their id there. Returns an enum capture. Global, so that the verifier looks at it once and not at
 * each place that calls it. */
NOINLINE int send_stack(u32 depth, u32 flags)
{
	struct profiler_control *settings;
	struct profiler_counters *count;
	struct profiler_stack_event *stack;
	struct scratch *space;
	struct stack_id *sent;
	u32 zero = 0, slot;

	count = bpf_map_lookup_elem(&counters, &zero);
	settings = bpf_map_lookup_elem(&control, &zero);
	space = bpf_map_lookup_elem(&scratch, &zero);
	if (!count || !settings || !space)
		return CAPTURE_NONE; /* arrays: cannot happen */
	stack = &space->stack;
	if (depth == 0 || depth > STACK_DEPTH)
		return CAPTURE_NONE;
	stack->kind = PROFILER_STACK_EVENT;
	stack->depth = depth;
	stack->flags = flags;
	if (flags & STACK_CUT) {
		if (flags & STACK_KERNEL)
			count->kernel_stacks_cut++;
		else
			count->user_stacks_cut++;
	}
	identify(depth);

	slot = stack->id.high % SENT_STACKS;
	sent = bpf_map_lookup_elem(&sent_stacks, &slot);
	if (!sent)
		return CAPTURE_NONE; /* an array: cannot happen */
	if (READ_ONCE(sent->low) == stack->id.low && READ_ONCE(sent->high) == stack->id.high)
		return CAPTURED;
	if (bpf_ringbuf_output(&events, stack,
			       sizeof(*stack) - sizeof(stack->addresses) + depth * sizeof(u64),
			       wake_flags(settings)) != 0) {
		if (flags & STACK_KERNEL)
			count->kernel_stacks_lost++;
		else
			count->user_stacks_lost++;
		return CAPTURE_LOST;
	}
	count->stacks_sent++;
	/* Only now, so that another CPU which finds it here can rely on it. Who reads half of this
	 * and half of another id finds neither, and sends its stack again: no harm. */
	WRITE_ONCE(sent->low, stack->id.low);
	WRITE_ONCE(sent->high, stack->id.high);
	return CAPTURED;
}

/* Sends what bpf_get_stack wrote into the scratch space. Returns an enum capture. */
INLINE int capture_taken(long bytes, u64 helper_flags)
{
	struct profiler_control *settings;
	u32 zero = 0, depth, limit, flags;

	settings = bpf_map_lookup_elem(&control, &zero);
	if (!settings || bytes <= 0)
		return CAPTURE_NONE;
	depth = (u32)bytes / sizeof(u64);
	limit = settings->stack_limit;
	if (limit == 0 || limit > STACK_DEPTH)
		limit = STACK_DEPTH;
	flags = helper_flags & F_USER_STACK ? 0 : STACK_KERNEL;
	if (depth >= limit)
		flags |= STACK_CUT;
	return send_stack(depth, flags);
}

/* Takes the user's stack by unwind rows. Returns an enum capture: CAPTURE_UNKNOWN while there are
 * no rows for the process. */
NOINLINE int walk_and_send(void)
{
	struct profiler_counters *count;
	struct met_process *met;
	struct scratch *space;
	struct process_id *process;
	struct walk_result walk;
	u32 zero = 0, end, flags, slot;
	u64 strays;

	count = bpf_map_lookup_elem(&counters, &zero);
	space = bpf_map_lookup_elem(&scratch, &zero);
	if (!count || !space)
		return CAPTURE_NONE; /* arrays: cannot happen */
	process = &space->sample.key.process;
	end = walk_user_stack(space->stack.addresses, process, NULL, &walk);
	if (end >= WALK_ENDS)
		return CAPTURE_NONE; /* cannot happen */
	count->walks[end]++;
	if (end == WALK_NO_PROCESS || walk.depth == 0)
		return CAPTURE_UNKNOWN;
	count->guessed_frames += walk.guesses;
	if (walk.wanted)
		announce(process, bpf_ktime_get_ns(), 0, walk.wanted, count);
	flags = 0;
	if (end == WALK_TOO_DEEP)
		flags = STACK_CUT;
	else if (end != WALK_COMPLETE)
		flags = STACK_BROKEN;
	if (end == WALK_NO_MAPPING) {
		/* Code that was loaded since the reader looked: have it look again. */
		slot = process->tgid % MET_PROCESSES;
		met = bpf_map_lookup_elem(&met_processes, &slot);
		if (met && met->process.tgid == process->tgid) {
			ADD_ONE(&met->strays);
			strays = READ_ONCE(met->strays);
			if ((strays & (strays - 1)) == 0)
				announce(process, bpf_ktime_get_ns(), met->samples, 0, count);
		}
	}
	return send_stack(walk.depth, flags);
}

#endif
