/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 64-byte record into a ring buffer at each system call of target_tgid. What finds the ring full
 * is counted in sequences.dropped. wake: 0 the kernel's own wake-ups, 1 never, 2 always.
 */
#include "helpers.h"
#include "event_record.h"

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} events SEC(".maps");

u64 wake = 0;

SEC("raw_tp/sys_enter")
int send_event(struct raw_tracepoint *context)
{
	u32 syscall = context->args[1];
	struct event_counts *counts = wanted_counts(syscall);
	struct event_record *record;
	u64 sequence;

	if (!counts)
		return 0;
	sequence = counts->produced++;
	record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	if (!record) {
		counts->dropped++;
		return 0;
	}
	fill_record(record, sequence, syscall);
	bpf_ringbuf_submit(record, READ_ONCE(wake));
	return 0;
}

LICENSE("GPL");
