/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples user and kernel stacks on every CPU and counts equal ones in the kernel. The contract
 * with user space, and how nothing is lost without being counted, is in events.h.
 *
 * Runs from Linux 5.8 (bpf_ringbuf, start_boottime); no instruction newer than -mcpu=v3 without
 * fetching atomics, which came with 5.12.
 *
 * What no program can see: the kernel skips a perf_event program while another BPF program or a
 * map operation of bpf(2) runs on the same CPU. Samples that would fall there are not in `seen`.
 */
#include "helpers.h"
#include "economy.h"
#include "events.h"
#include "process_filter.h"
#include "stack_walk.h"

#define PF_KTHREAD 0x00200000
#define EEXIST 17

/* The few kernel fields we read, found by name on the running kernel. */
struct mm_struct {
	unsigned long start_code, end_code, start_stack, start_brk;
} CORE;

struct task_struct {
	unsigned int flags;
	u64 start_boottime;
	struct mm_struct *mm;
	struct task_struct *group_leader;
} CORE;

/* The context, only passed on. The verifier knows it by its name, and wants a structure. */
struct bpf_perf_event_data {
	u64 registers[1];
};

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
	__uint(type, MAP_HASH);
	__uint(max_entries, 16384);
	__type(key, struct profiler_key);
	__type(value, u64);
} counts SEC(".maps");

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
	struct profiler_sample_event sample;
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

enum capture { CAPTURE_NONE, CAPTURED, CAPTURE_LOST };

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

/* Takes the kernel's stack, or by frame pointers the user's. Returns an enum capture. */
NOINLINE int capture(struct bpf_perf_event_data *context, u64 helper_flags)
{
	struct profiler_control *settings;
	struct scratch *space;
	u32 zero = 0, depth, limit, flags;
	long bytes;

	settings = bpf_map_lookup_elem(&control, &zero);
	space = bpf_map_lookup_elem(&scratch, &zero);
	if (!settings || !space)
		return CAPTURE_NONE; /* arrays: cannot happen */
	bytes = bpf_get_stack(context, space->stack.addresses, sizeof(space->stack.addresses),
			      helper_flags);
	if (bytes <= 0)
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

/* Takes the user's stack by unwind rows; by frame pointers while there are none for the process. */
NOINLINE int capture_walked(struct bpf_perf_event_data *context)
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
	end = walk_user_stack(space->stack.addresses, process, &walk);
	if (end >= WALK_ENDS)
		return CAPTURE_NONE; /* cannot happen */
	count->walks[end]++;
	if (end == WALK_NO_PROCESS || walk.depth == 0)
		return capture(context, F_USER_STACK);
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

/* See struct process_id. 0 also while exec has not laid the new program out yet: the registers are
 * those of the one before, and mean nothing in its memory. */
INLINE u64 image_of(const struct task_struct *task)
{
	const struct mm_struct *mm;
	u64 part = 0, image;

	if (core_read(&mm, task, mm) != 0 || !mm)
		return 0;
	if (core_read(&part, mm, start_code) != 0 || part == 0)
		return 0;
	image = part;
	core_read(&part, mm, end_code);
	image = image * IMAGE_FACTOR + part;
	core_read(&part, mm, start_stack);
	image = image * IMAGE_FACTOR + part;
	core_read(&part, mm, start_brk);
	return image * IMAGE_FACTOR + part;
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
	u64 now, pid_tgid;
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
	key->process.image = 0;
	key->process.padding = 0;
	key->user_stack.low = key->user_stack.high = 0;
	key->kernel_stack.low = key->kernel_stack.high = 0;
	key->tid = profiler_flags & PROFILER_PER_THREAD ? (u32)pid_tgid : 0;
	key->flags = 0;
	bpf_get_current_comm(key->command, sizeof(key->command));
	if (core_read(&leader, task, group_leader) == 0)
		core_read(&key->process.start, leader, start_boottime);
	core_read(&task_flags, task, flags);
	if (task_flags & PF_KTHREAD) {
		key->flags |= KEY_KERNEL_THREAD;
	} else {
		key->process.image = image_of(task);
		if (key->process.image != 0)
			meet(&key->process, now, count);
	}

	takes_stacks = !(READ_ONCE(thrift->flags) & ECONOMY_NO_STACKS);
	if (takes_stacks && (way == BY_BOTH ? key->process.image != 0 :
					      !(profiler_flags & PROFILER_NO_KERNEL_STACKS))) {
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
	if (!(profiler_flags & PROFILER_NO_USER_STACKS) && takes_stacks &&
	    key->process.image != 0) {
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

SEC("perf_event")
int profile_sample(struct bpf_perf_event_data *context)
{
	return sample(context, BY_FRAME_POINTERS);
}

/* The same, with user stacks walked by unwind rows. Linux 5.17, x86-64. */
SEC("perf_event")
int profile_walk(struct bpf_perf_event_data *context)
{
	return sample(context, BY_ROWS);
}

/* Both on the same samples, to compare them. */
SEC("perf_event")
int profile_compare(struct bpf_perf_event_data *context)
{
	return sample(context, BY_BOTH);
}

/* Arguments of a raw tracepoint: one 64-bit word each. */
struct raw_tracepoint {
	u64 args[3];
};

/* A followed process starts another: follow that too. (parent, child) */
SEC("raw_tp/sched_process_fork")
int profile_fork(struct raw_tracepoint *context)
{
	struct profiler_counters *count;
	u32 zero = 0;

	if (filter_follow_fork((const void *)context->args[0], (const void *)context->args[1]))
		return 0;
	count = bpf_map_lookup_elem(&counters, &zero);
	if (count)
		count->follow_lost++;
	return 0;
}

/* A process ends with its last thread; its number may be used again by a stranger. (task) */
SEC("raw_tp/sched_process_exit")
int profile_exit(struct raw_tracepoint *context)
{
	filter_forget_exit((const void *)context->args[0]);
	return 0;
}

LICENSE("GPL");
