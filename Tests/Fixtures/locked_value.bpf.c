/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value behind a lock. Each run of `add` (a tc program) adds 1 to every number of it, so that a
 * reader who takes the lock sees eight equal numbers.
 */
#include "helpers.h"

HELPER(long, bpf_spin_lock, 93, void *lock);
HELPER(long, bpf_spin_unlock, 94, void *lock);

struct bpf_spin_lock {
	u32 val;
};

struct locked {
	struct bpf_spin_lock lock;
	u32 unused;
	u64 numbers[8];
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct locked);
} locked SEC(".maps");

SEC("tc")
int add(void *context)
{
	u32 zero = 0;
	struct locked *value = bpf_map_lookup_elem(&locked, &zero);

	if (!value)
		return 1;
	bpf_spin_lock(&value->lock);
	for (u32 i = 0; i < 8; i++)
		value->numbers[i]++;
	bpf_spin_unlock(&value->lock);
	return 0;
}

LICENSE("GPL");
