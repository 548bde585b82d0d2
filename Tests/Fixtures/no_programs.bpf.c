/* SPDX-License-Identifier: Apache-2.0 */
/* A map and no program: nothing to load. */
#include "helpers.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} lonely SEC(".maps");

LICENSE("GPL");
