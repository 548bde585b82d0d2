/* SPDX-License-Identifier: Apache-2.0 */
/* Two objects that pin a map by the same name share it. */
#include "helpers.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
	__uint(pinning, PIN_BY_NAME);
} ebpf_fixture_pin SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
	__uint(pinning, PIN_NONE);
} not_pinned SEC(".maps");

SEC("raw_tp/sys_enter")
int count(void *context)
{
	u32 zero = 0;
	u64 *value = bpf_map_lookup_elem(&ebpf_fixture_pin, &zero);

	if (value)
		__sync_fetch_and_add(value, 1);
	return 0;
}

LICENSE("GPL");
