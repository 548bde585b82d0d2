/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions handed to helpers by address (BPF_PSEUDO_FUNC). bpf_for_each_map_elem came with Linux
 * 5.13, bpf_loop with 5.17. A test run of `walk` sets `sum` to 0 + 1 + … + 9 plus the sum of the
 * array's elements, `visited` to 4 and `steps` to 10. One of `nest` sets `steps` to 3 × 10 and
 * `sum` to 3 × 45 × 2: a callback that hands on a callback shared with the other program, and
 * calls a subprogram.
 */
#include "helpers.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} numbers SEC(".maps");

u64 sum, visited, steps;
u64 one = 1;

static long on_element(void *map, u32 *key, u64 *value, u64 *total)
{
	*total += *value;
	visited++;
	return 0;
}

static long on_step(u64 index, u64 *total)
{
	*total += index;
	steps++;
	return 0;
}

static NOINLINE u64 twice(u64 number)
{
	return number * 2 * READ_ONCE(one);
}

static long on_outer_step(u64 index, u64 *total)
{
	u64 inner = 0;

	bpf_loop(10, on_step, &inner, 0);
	*total += twice(inner);
	return 0;
}

SEC("raw_tp/sys_exit")
int nest(void *context)
{
	u64 total = 0;

	steps = 0;
	bpf_loop(3, on_outer_step, &total, 0);
	sum = total;
	return 0;
}

SEC("raw_tp/sys_enter")
int walk(void *context)
{
	u64 total = 0;

	visited = 0;
	steps = 0;
	bpf_for_each_map_elem(&numbers, on_element, &total, 0);
	bpf_loop(10, on_step, &total, 0);
	sum = total;
	return 0;
}

LICENSE("GPL");
