/* SPDX-License-Identifier: Apache-2.0 */
/* A running program sees what user space writes: it copies `input` to `output`, element by
 * element, at a test run. */
#include "helpers.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} input SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} output SEC(".maps");

SEC("raw_tp/sys_enter")
int copy(void *context)
{
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < 4; i++) {
		u32 key = i;
		u64 *from = bpf_map_lookup_elem(&input, &key);

		if (from)
			bpf_map_update_elem(&output, &key, from, UPDATE_ANY);
	}
	return 0;
}

LICENSE("GPL");
