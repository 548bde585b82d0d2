/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a tracer does with less while it would cost too much. Included once by an object; user space
 * (EconomyMap.swift) writes it at any time.
 *
 *   map        type            key        value
 *   economy    array, mmap     u32 (0)    struct economy
 *
 * An event that is picked stands for `sampling` of them: whoever counts it counts so many, and sums
 * stay unbiased. What was not picked is counted by the caller.
 */
#ifndef SWIFT_EBPF_ECONOMY_H
#define SWIFT_EBPF_ECONOMY_H

#include "helpers.h"

enum economy_bits {
	ECONOMY_NO_STACKS = 1 << 0,
};

struct economy {
	u32 sampling;     /* one event in so many, picked at random; 0 and 1: every one */
	u32 flags;        /* enum economy_bits */
	u64 min_event_ns; /* only what takes so long is sent as an event */
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct economy);
} economy SEC(".maps");

/* For how many events the present one stands; 0: for none, it was not picked. */
INLINE u32 economy_weight(const struct economy *how)
{
	u32 sampling = READ_ONCE(how->sampling);

	if (LIKELY(sampling <= 1))
		return 1;
	return bpf_get_prandom_u32() <= ~0U / sampling ? sampling : 0;
}

#endif
