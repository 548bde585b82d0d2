/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows every TCP connection from its first state change to its last, and counts datagrams by
 * socket. The contract with user space is in network_events.h.
 *
 * Each hook has variants, best first; user space loads those that the kernel accepts. Tested on
 * Linux 6.1, 6.12 and 6.18.
 *
 * What no program can see: a tracepoint's program does not run again on a CPU where it is running
 * already. The kernel counts those misses (recursion_misses); user space reports them as lost.
 */
#include "network_calls.h"
#include "network_connection.h"
#include "network_datagrams.h"
#include "network_packets.h"

/* ---- Children of followed processes ---- */

SEC("raw_tp/sched_process_fork")
int network_fork(struct tracepoint_arguments *context)
{
	struct network_counters *counts = count();

	if (!filter_follow_fork((const void *)context->args[0], (const void *)context->args[1]) &&
	    counts)
		COUNT(counts->follow_lost);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int network_exit(struct tracepoint_arguments *context)
{
	filter_forget_exit((const void *)context->args[0]);
	return 0;
}

LICENSE("GPL");
