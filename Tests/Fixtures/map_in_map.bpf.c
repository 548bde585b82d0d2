/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of maps: with inner definition and initial values, and by a named inner type. */
#include "helpers.h"

struct inner {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
};

struct inner inner_a SEC(".maps");
struct inner inner_b SEC(".maps");

/* Slot 1 stays empty. */
struct {
	__uint(type, MAP_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, u32);
	__array(values, struct inner);
} outer_array SEC(".maps") = {
	.values = { [0] = &inner_a, [2] = &inner_b },
};

/* The inner map is only described, never named. */
struct {
	__uint(type, MAP_HASH_OF_MAPS);
	__uint(max_entries, 8);
	__uint(key_size, 4);
	__array(values, struct {
		__uint(type, MAP_HASH);
		__uint(max_entries, 16);
		__type(key, u32);
		__type(value, u32);
	});
} outer_hash SEC(".maps");

u32 slot = 0;
u32 found = 0;

SEC("raw_tp/sys_enter")
int count(void *context)
{
	u32 which = slot, zero = 0;
	void *map = bpf_map_lookup_elem(&outer_array, &which);
	u64 *value;

	found = map != NULL;
	if (!map)
		return 0;
	value = bpf_map_lookup_elem(map, &zero);
	if (value)
		__sync_fetch_and_add(value, 1);
	return 0;
}

LICENSE("GPL");
