/* SPDX-License-Identifier: Apache-2.0 */
/* Records of 100,000 bytes in a ring of 256 KiB: every third passes the ring's end by tens of thousands
 * of bytes. */
#include "helpers.h"

#define WORDS 25000

struct large_record {
	u32 words[WORDS];
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct large_record);
} content SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

u64 dropped = 0;

SEC("raw_tp/sys_enter")
int send_large(void *context)
{
	u32 zero = 0;
	struct large_record *record = bpf_map_lookup_elem(&content, &zero);

	if (!record)
		return 0;
	record->words[0]++;
	if (bpf_ringbuf_output(&events, record, sizeof(*record), RING_NO_WAKEUP))
		dropped++;
	return 0;
}

LICENSE("GPL");
