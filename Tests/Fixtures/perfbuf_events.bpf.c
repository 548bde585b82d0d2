/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 64-byte record into a perf buffer at each system call of target_tgid. A full buffer makes the
 * helper fail, which is counted in sequences.dropped, and the kernel reports it as
 * PERF_RECORD_LOST.
 */
#include "helpers.h"
#include "event_record.h"

struct {
	__uint(type, MAP_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
} events SEC(".maps");

SEC("raw_tp/sys_enter")
int send_event(struct raw_tracepoint *context)
{
	struct event_record record;
	u32 syscall = context->args[1];
	struct event_counts *counts = wanted_counts(syscall);

	if (!counts)
		return 0;
	fill_record(&record, counts->produced++, syscall);
	if (bpf_perf_event_output(context, &events, F_CURRENT_CPU, &record, sizeof(record)) != 0)
		counts->dropped++;
	return 0;
}

LICENSE("GPL");
