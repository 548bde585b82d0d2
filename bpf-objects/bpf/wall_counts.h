/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the intervals that threads waited and ran, by thread, stack and state; and by waker.
 */
#ifndef SWIFT_EBPF_WALL_COUNTS_H
#define SWIFT_EBPF_WALL_COUNTS_H

#include "wall_threads.h"

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 32768);
	__type(key, struct profiler_key);
	__type(value, struct wait);
} waits SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 32768);
	__type(key, struct wake_key);
	__type(value, struct wait);
} wakes SEC(".maps");

/* Where a wake_key is put together. */
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wall_wake_event);
} wake_space SEC(".maps");

/* What the programs work with; all in arrays, so that it is always there. */
struct wall {
	struct wall_counters *count;
	struct scratch *space;
	u64 now; /* recorded time */
	bool paused;
};

INLINE bool wall_begin(struct wall *wall)
{
	const u64 *clock;
	u32 zero = 0;
	u64 value;

	clock = bpf_map_lookup_elem(&wall_clock, &zero);
	wall->count = bpf_map_lookup_elem(&wall_counters, &zero);
	wall->space = bpf_map_lookup_elem(&scratch, &zero);
	if (!clock || !wall->count || !wall->space)
		return 0;
	value = READ_ONCE(*clock);
	wall->paused = value >> 63;
	wall->now = recorded_time(value);
	return 1;
}

/* Adds an interval to a table of waits; false when it is full. */
INLINE bool add_wait(void *table, const void *key, u64 time)
{
	struct wait first = { .time = time, .count = 1 };
	struct wait *wait = bpf_map_lookup_elem(table, key);
	long status;

	if (!wait) {
		status = bpf_map_update_elem(table, key, &first, UPDATE_NOEXIST);
		if (status == 0)
			return 1;
		/* Another CPU was first? */
		wait = status == -EEXIST ? bpf_map_lookup_elem(table, key) : NULL;
		if (!wait)
			return 0;
	}
	__atomic_fetch_add(&wait->time, time, __ATOMIC_RELAXED);
	__atomic_fetch_add(&wait->count, 1, __ATOMIC_RELAXED);
	return 1;
}

/* Counts an interval under the key in the scratch space. Global, so that the verifier looks at it
 * once. */
NOINLINE int count_interval(u64 time, u32 flags)
{
	struct wall_wait_event *event;
	struct wall_counters *count;
	struct profiler_key *key;
	struct scratch *space;
	u32 zero = 0;

	count = bpf_map_lookup_elem(&wall_counters, &zero);
	space = bpf_map_lookup_elem(&scratch, &zero);
	if (!count || !space)
		return 0; /* arrays: cannot happen */
	key = &space->sample.key;
	key->flags = flags;
	if (add_wait(&waits, key, time)) {
		count->recorded++;
		return 0;
	}
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count->dropped++;
		count->dropped_time += time;
		return 0;
	}
	event->kind = WALL_WAIT_EVENT;
	event->padding = 0;
	event->time = time;
	event->key = *key;
	bpf_ringbuf_submit(event, 0);
	count->overflowed++;
	return 0;
}

/* The same, with the waker that the caller has put into wake_space. */
NOINLINE int count_wake(u64 time, u32 flags)
{
	struct wall_counters *count;
	struct wall_wake_event *event;
	struct scratch *space;
	u32 zero = 0;

	count = bpf_map_lookup_elem(&wall_counters, &zero);
	space = bpf_map_lookup_elem(&scratch, &zero);
	event = bpf_map_lookup_elem(&wake_space, &zero);
	if (!count || !space || !event)
		return 0; /* arrays: cannot happen */
	event->key.blocked = space->sample.key;
	event->key.blocked.flags = flags;
	if (add_wait(&wakes, &event->key, time)) {
		count->recorded++;
		return 0;
	}
	event->kind = WALL_WAKE_EVENT;
	event->padding = 0;
	event->time = time;
	if (bpf_ringbuf_output(&events, event, sizeof(*event), 0) == 0) {
		count->overflowed++;
	} else {
		count->dropped++;
		count->dropped_time += time;
	}
	return 0;
}

#endif
