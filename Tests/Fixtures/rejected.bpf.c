/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that the verifier refuses, each for its own reason. None may load. */
#include "helpers.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} numbers SEC(".maps");

u64 index;

/* "math between map_value pointer and register with unbounded min value is not allowed". */
SEC("raw_tp/sys_enter")
int out_of_bounds(void *context)
{
	u32 zero = 0;
	u64 *value = bpf_map_lookup_elem(&numbers, &zero);

	return value ? value[READ_ONCE(index)] : 0;
}

/* "R… invalid mem access 'map_value_or_null'". */
SEC("raw_tp/sys_enter")
int no_null_check(void *context)
{
	u32 key = READ_ONCE(index);
	u64 *value = bpf_map_lookup_elem(&numbers, &key);

	return *value;
}

/* "infinite loop detected", or too many instructions. */
SEC("raw_tp/sys_enter")
int endless(void *context)
{
	while (READ_ONCE(index) != 1)
		;
	return 0;
}

/* "Unreleased reference". */
struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("raw_tp/sys_enter")
int never_submitted(void *context)
{
	u64 *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);

	if (record)
		*record = 1;
	return 0;
}

LICENSE("GPL");
