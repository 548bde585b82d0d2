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
#include "profiler_sample.h"

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
