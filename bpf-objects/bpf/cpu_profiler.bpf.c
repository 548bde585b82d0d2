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

LICENSE("GPL");
