/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes one sample: the stacks of what runs on this CPU, counted with those that are equal. Included
 * once by an object, after profiler_capture.h.
 */
#ifndef SWIFT_EBPF_PROFILER_SAMPLE_H
#define SWIFT_EBPF_PROFILER_SAMPLE_H

#include "profiler_capture.h"
#include "thread_context.h"

/* The context, only passed on. The verifier knows it by its name, and wants a structure. */
struct bpf_perf_event_data {
	u64 registers[1];
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 16384);
	__type(key, struct profiler_key);
	__type(value, u64);
} counts SEC(".maps");

/* Takes the kernel's stack, or by frame pointers the user's. Returns an enum capture. Global, so
 * that the verifier looks at it once. */
NOINLINE int capture(struct bpf_perf_event_data *context, u64 helper_flags)
{
	struct scratch *space;
	u32 zero = 0;

	space = bpf_map_lookup_elem(&scratch, &zero);
	if (!space)
		return CAPTURE_NONE; /* an array: cannot happen */
	return capture_taken(bpf_get_stack(context, space->stack.addresses,
					   sizeof(space->stack.addresses), helper_flags),
			     helper_flags);
}

/* Takes the user's stack by unwind rows; by frame pointers while there are none for the process. */
INLINE int capture_walked(struct bpf_perf_event_data *context)
{
	int outcome = walk_and_send();

	return outcome == CAPTURE_UNKNOWN ? capture(context, F_USER_STACK) : outcome;
}

/* Puts the current thread's span into the scratch space. 0 where there is none. Global, so that the
 * verifier looks at it once. */
NOINLINE int find_span(void)
{
	const struct thread_context *place;
	const struct process_id *process;
	struct profiler_counters *count;
	struct scratch *space;
	u32 zero = 0;
	int status;

	count = bpf_map_lookup_elem(&counters, &zero);
	space = bpf_map_lookup_elem(&scratch, &zero);
	if (!count || !space)
		return 0; /* arrays: cannot happen */
	process = &space->sample.key.process;
	place = context_of(process->tgid, process->start, process->image);
	if (!place)
		return 0;
	status = read_span(place, &space->linked.link);
	if (status < 0)
		count->links_unreadable++;
	return status > 0;
}

/* Sends the sample in the scratch space with its thread's span. False where there is none, or the
 * ring is full, which is counted: the sample is then counted without it. */
INLINE bool send_linked(struct scratch *space, const struct profiler_control *settings, u32 weight,
			struct profiler_counters *count)
{
	if (!find_span())
		return 0;
	space->linked.sample.kind = PROFILER_LINKED_EVENT;
	space->linked.sample.weight = weight;
	if (bpf_ringbuf_output(&events, &space->linked, sizeof(space->linked),
			       wake_flags(settings)) == 0)
		return 1;
	count->links_lost++;
	return 0;
}

INLINE bool add(const struct profiler_key *key, u64 weight)
{
	u64 *samples = bpf_map_lookup_elem(&counts, key);
	long status;

	if (!samples) {
		status = bpf_map_update_elem(&counts, key, &weight, UPDATE_NOEXIST);
		if (status == 0)
			return 1;
		if (status != -EEXIST)
			return 0;
		/* Another CPU was first. */
		samples = bpf_map_lookup_elem(&counts, key);
		if (!samples)
			return 0;
	}
	__atomic_fetch_add(samples, weight, __ATOMIC_RELAXED);
	return 1;
}

/* How user stacks are taken. */
enum user_stacks {
	BY_FRAME_POINTERS,
	BY_ROWS,
	BY_BOTH, /* the one by frame pointers stands where the kernel's does otherwise */
};

INLINE int sample(struct bpf_perf_event_data *context, enum user_stacks way)
{
	const struct task_struct *task, *leader;
	const struct economy *thrift;
	struct profiler_control *settings;
	struct profiler_counters *count;
	struct profiler_key *key;
	struct scratch *space;
	u64 now, pid_tgid, image;
	u32 zero = 0, task_flags = 0, tgid, weight;
	bool takes_stacks;

	count = bpf_map_lookup_elem(&counters, &zero);
	settings = bpf_map_lookup_elem(&control, &zero);
	space = bpf_map_lookup_elem(&scratch, &zero);
	thrift = bpf_map_lookup_elem(&economy, &zero);
	if (!count || !settings || !space || !thrift)
		return 0; /* arrays: cannot happen */
	count->seen++;
	pid_tgid = bpf_get_current_pid_tgid();
	tgid = pid_tgid >> 32;
	if (tgid == 0 && !(profiler_flags & PROFILER_INCLUDE_IDLE)) {
		count->idle++;
		return 0;
	}
	if (tgid != 0 && tgid == settings->excluded_tgid) {
		count->excluded++;
		return 0;
	}
	task = (const struct task_struct *)bpf_get_current_task();
	if (!wanted(tgid)) {
		count->filtered++;
		return 0;
	}
	core_read(&task_flags, task, flags);
	image = task_flags & PF_KTHREAD ? 0 : image_of(task);
	if (image != 0 && image == settings->excluded_image) {
		count->excluded++;
		return 0;
	}
	weight = economy_weight(thrift);
	if (weight == 0) {
		count->sampled_out++;
		return 0;
	}
	if (settings->sample_limit != 0) {
		if (READ_ONCE(settings->samples) >= settings->sample_limit) {
			count->capped++;
			return 0;
		}
		ADD_ONE(&settings->samples);
	}
	now = bpf_ktime_get_ns();
	if (count->first_sample == 0)
		count->first_sample = now;

	key = &space->sample.key;
	key->process.tgid = tgid;
	key->process.start = 0;
	key->process.image = image;
	key->process.padding = 0;
	key->user_stack.low = key->user_stack.high = 0;
	key->kernel_stack.low = key->kernel_stack.high = 0;
	key->tid = profiler_flags & PROFILER_PER_THREAD ? (u32)pid_tgid : 0;
	key->flags = 0;
	bpf_get_current_comm(key->command, sizeof(key->command));
	if (core_read(&leader, task, group_leader) == 0)
		core_read(&key->process.start, leader, start_boottime);
	if (task_flags & PF_KTHREAD)
		key->flags |= KEY_KERNEL_THREAD;
	else if (image != 0)
		meet(&key->process, now, count);
	else
		meet_without_image(&key->process, now, count);

	takes_stacks = !(READ_ONCE(thrift->flags) & ECONOMY_NO_STACKS);
	if (takes_stacks &&
	    (way == BY_BOTH ? image != 0 : !(profiler_flags & PROFILER_NO_KERNEL_STACKS))) {
		switch (capture(context, way == BY_BOTH ? F_USER_STACK : 0)) {
		case CAPTURED:
			key->kernel_stack = space->stack.id;
			break;
		case CAPTURE_LOST:
			key->flags |= KEY_KERNEL_STACK_LOST;
			break;
		case CAPTURE_NONE: /* the sample was taken in user mode */
			break;
		}
	}
	if (!(profiler_flags & PROFILER_NO_USER_STACKS) && takes_stacks && image != 0) {
		switch (way == BY_FRAME_POINTERS ? capture(context, F_USER_STACK) :
						   capture_walked(context)) {
		case CAPTURED:
			key->user_stack = space->stack.id;
			break;
		case CAPTURE_LOST:
			key->flags |= KEY_USER_STACK_LOST;
			break;
		case CAPTURE_NONE:
			key->flags |= KEY_USER_STACK_NONE;
			count->user_stacks_none++;
			break;
		}
	}

	if (threads_tell() && image != 0 && send_linked(space, settings, weight, count)) {
		count->linked++;
		return 0;
	}
	if (add(key, weight)) {
		count->recorded++;
		return 0;
	}
	space->sample.kind = PROFILER_SAMPLE_EVENT;
	space->sample.weight = weight;
	if (bpf_ringbuf_output(&events, &space->sample, sizeof(space->sample),
			       wake_flags(settings)) == 0)
		count->overflowed++;
	else
		count->dropped++;
	return 0;
}

#endif
