/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes that a filter names. Included once by an object.
 */
#ifndef SWIFT_EBPF_PID_FILTER_H
#define SWIFT_EBPF_PID_FILTER_H

#include "helpers.h"

enum pid_filter_bits {
	PID_FILTER_PROCESS = 1 << 0, /* this process */
	PID_FILTER_FOLLOW = 1 << 1,  /* and every process it starts, and theirs */
	/* Above: the process that the filter names, of which this one comes. */
	PID_FILTER_NAMED_SHIFT = 2,
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, u32);
} pid_filter SEC(".maps");

#endif
