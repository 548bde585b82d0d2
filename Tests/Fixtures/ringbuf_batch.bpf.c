/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 4,096 records of 64 bytes into a ring buffer each time it is run by BPF_PROG_TEST_RUN, without
 * waking the reader: what a reader costs, and nothing else.
 */
#include "helpers.h"

#define RECORDS 4096

struct batch_record {
	u64 number;
	u64 filling[7];
};

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 512 * 1024);
} events SEC(".maps");

u64 next_number = 0;
u64 dropped = 0;

SEC("raw_tp/sys_enter")
int send_batch(void *context)
{
	for (u32 i = 0; i < RECORDS; i++) {
		struct batch_record *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);

		if (!record) {
			dropped++;
			continue;
		}
		record->number = next_number++;
		for (u32 j = 0; j < 7; j++)
			record->filling[j] = i;
		bpf_ringbuf_submit(record, RING_NO_WAKEUP);
	}
	return 0;
}

LICENSE("GPL");
