/* SPDX-License-Identifier: Apache-2.0 */
/* Tail calls, the targets set by initial values: slot 0 and 2; slot 1 is empty, so that a call to
 * it falls through. Run dispatch with `slot` set: `reached` says who answered. */
#include "helpers.h"

int target_zero(void *context);
int target_two(void *context);

struct {
	__uint(type, MAP_PROG_ARRAY);
	__uint(max_entries, 3);
	__uint(key_size, sizeof(u32));
	__array(values, int(void *));
} targets SEC(".maps") = {
	.values = { [0] = target_zero, [2] = target_two },
};

u32 slot = 0;
u32 reached = 0;

SEC("raw_tp/sys_enter")
int target_zero(void *context)
{
	reached = 100;
	return 0;
}

SEC("raw_tp/sys_enter")
int target_two(void *context)
{
	reached = 102;
	return 0;
}

SEC("raw_tp/sys_enter")
int dispatch(void *context)
{
	reached = 1;
	bpf_tail_call(context, &targets, slot);
	reached = 2; /* nobody there */
	return 0;
}

LICENSE("GPL");
