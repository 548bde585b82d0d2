/* SPDX-License-Identifier: Apache-2.0 */
/* A ring buffer that names a value type, as one does to have the record's type in BTF. The kernel
 * takes no value size for a ring buffer: libbpf passes it on and fails (EINVAL); a loader should
 * leave it out. */
#include "helpers.h"

struct record {
	u64 time;
	u32 number;
	u32 padding;
};

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4096);
	__type(value, struct record);
} events SEC(".maps");

SEC("raw_tp/sys_enter")
int send_record(void *context)
{
	struct record record = { .number = 42 };

	record.time = bpf_ktime_get_ns();
	bpf_ringbuf_output(&events, &record, sizeof(record), 0);
	return 0;
}

LICENSE("GPL");
