/* SPDX-License-Identifier: Apache-2.0 */
/* One hash whose value has a field of every kind that BTF can describe, for printing values. */
#include "helpers.h"

enum colour {
	COLOUR_RED,
	COLOUR_GREEN = 7,
	COLOUR_NEGATIVE = -2,
};

struct inner {
	u16 low;
	s16 high;
};

struct typed_key {
	u32 id;
	char name[4];
};

struct typed_value {
	u8 byte;
	s8 signed_byte;
	u16 half;
	s32 word;
	u64 wide;
	s64 signed_wide;
	_Bool yes;
	char text[11];
	enum colour colour;
	struct inner inner;
	struct inner pair[2];
	u8 grid[2][3];
	union {
		u32 number;
		struct inner parts;
	} either;
	void *pointer;
	const volatile u32 qualified;
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 16);
	__type(key, struct typed_key);
	__type(value, struct typed_value);
} typed SEC(".maps");

SEC("socket")
int touch(void *context)
{
	struct typed_key key = {};

	return bpf_map_lookup_elem(&typed, &key) != 0;
}

LICENSE("GPL");
