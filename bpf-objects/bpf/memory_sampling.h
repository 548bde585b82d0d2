/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Picks allocated bytes as a Poisson process of one in `mean` does: the distance to the next picked
 * byte is exponentially distributed. An allocation of `size` bytes is then picked with probability
 *
 *   p(size) = 1 - exp(-size / mean)
 *
 * independently of all others, and 1 / p allocations and size / p bytes are unbiased estimates of
 * what it stands for. User space does that division; nothing here is weighted.
 */
#ifndef SWIFT_EBPF_MEMORY_SAMPLING_H
#define SWIFT_EBPF_MEMORY_SAMPLING_H

#include "helpers.h"

/* 2^32 * log2(1 + i / 64) */
static const u64 logarithms[65] = {
	0x000000000, 0x005b9e5a1, 0x00b5d69bb, 0x010eb38a0, 0x01663f6fb,
	0x01bc84241, 0x02118b11a, 0x02655d3c5, 0x02b803474, 0x0309857a0,
	0x0359ebc5b, 0x03a93dc98, 0x03f782d72, 0x0444c1f6b, 0x049101eac,
	0x04dc4933b, 0x05269e12f, 0x0570068e8, 0x05b888736, 0x06002958c,
	0x0646eea24, 0x068cdd82a, 0x06d1fafdd, 0x07164beb5, 0x0759d4f81,
	0x079c9aa88, 0x07dea15a3, 0x081fed45d, 0x086082807, 0x08a064fd5,
	0x08df988f5, 0x091e20ea1, 0x095c01a3a, 0x09993e356, 0x09d5d9fd5,
	0x0a11d83f5, 0x0a4d3c25e, 0x0a8808c38, 0x0ac241135, 0x0afbe7fa1,
	0x0b3500472, 0x0b6d8cb54, 0x0ba58feb2, 0x0bdd0c7ca, 0x0c1404eae,
	0x0c4a7ba58, 0x0c80730b0, 0x0cb5ed695, 0x0ceaecfeb, 0x0d1f73f9c,
	0x0d53847ac, 0x0d8720936, 0x0dba4a47b, 0x0ded038e6, 0x0e1f4e517,
	0x0e512c6e5, 0x0e829fb69, 0x0eb3a9f02, 0x0ee44cd5a, 0x0f148a170,
	0x0f446359b, 0x0f73da38e, 0x0fa2f045e, 0x0fd1a708c, 0x100000000,
};

/* log2(value) * 2^32 for 1 <= value < 2^33, to about 2^-15. */
INLINE u64 logarithm(u64 value)
{
	u32 whole = 0, place;
	u64 rest, low, high;

	if (value >> 32) {
		whole = 32;
	} else {
		u32 bits = value;

		if (bits >> 16) {
			whole += 16;
			bits >>= 16;
		}
		if (bits >> 8) {
			whole += 8;
			bits >>= 8;
		}
		if (bits >> 4) {
			whole += 4;
			bits >>= 4;
		}
		if (bits >> 2) {
			whole += 2;
			bits >>= 2;
		}
		if (bits >> 1)
			whole += 1;
	}
	/* What follows the leading one, as 32 bits: six choose the entry, the others go between. */
	rest = (value << (63 - whole) << 1) >> 32;
	place = (rest >> 26) & 63;
	low = logarithms[place];
	high = logarithms[place + 1];
	return ((u64)whole << 32) + low + (((high - low) * (rest & 0x3ffffff)) >> 26);
}

/* Bytes to the next picked one; `mean` at most 2^34. */
static NOINLINE s64 next_sample(u64 mean)
{
	/* Uniform in (0, 1): an odd number below 2^33, over 2^33. */
	u64 uniform = 2 * (u64)bpf_get_prandom_u32() + 1;
	/* -log2 of it, times 2^20. */
	u64 distance = ((33ULL << 32) - logarithm(uniform)) >> 12;
	/* ln 2 * 2^16 = 45426.09 */
	u64 scaled = (mean * 45426) >> 16;

	return (s64)((distance * scaled) >> 20) + 1;
}

#endif
