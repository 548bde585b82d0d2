/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A large object for the benchmarks of parsers: 512 programs, each with map references, line
 * information and CO-RE records. They load, and attach to nothing: no kernel has the functions.
 */
#include "helpers.h"

struct task_struct {
	int pid;
	int tgid;
	unsigned int flags;
	u64 start_time;
	char comm[16];
	struct task_struct *group_leader;
} CORE;

struct state {
	u64 count;
	u64 time;
	char comm[16];
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct state);
} states SEC(".maps");

u64 totals[512];

#define PROGRAM(number) \
	SEC("kprobe/function_" #number) \
	int program_##number(void *context) \
	{ \
		struct task_struct *task = (void *)bpf_get_current_task(), *leader; \
		struct state fresh = { .count = number }, *state; \
		u32 key = number, flags = 0; \
		u64 start = 0; \
		core_read(&leader, task, group_leader); \
		core_read(&flags, leader, flags); \
		core_read(&start, leader, start_time); \
		core_read(&key, leader, tgid); \
		state = bpf_map_lookup_elem(&states, &key); \
		if (!state) { \
			fresh.time = start + flags; \
			core_read(&fresh.comm, leader, comm); \
			bpf_map_update_elem(&states, &key, &fresh, UPDATE_ANY); \
			return 0; \
		} \
		__sync_fetch_and_add(&state->count, 1); \
		__sync_fetch_and_add(&totals[number - 01000], 1); \
		return 0; \
	}

#define PROGRAMS_8(n) \
	PROGRAM(n##0) PROGRAM(n##1) PROGRAM(n##2) PROGRAM(n##3) \
	PROGRAM(n##4) PROGRAM(n##5) PROGRAM(n##6) PROGRAM(n##7)
#define PROGRAMS_64(n) \
	PROGRAMS_8(n##0) PROGRAMS_8(n##1) PROGRAMS_8(n##2) PROGRAMS_8(n##3) \
	PROGRAMS_8(n##4) PROGRAMS_8(n##5) PROGRAMS_8(n##6) PROGRAMS_8(n##7)

/* Octal: 01000 … 01777 are 512 numbers. */
PROGRAMS_64(010)
PROGRAMS_64(011)
PROGRAMS_64(012)
PROGRAMS_64(013)
PROGRAMS_64(014)
PROGRAMS_64(015)
PROGRAMS_64(016)
PROGRAMS_64(017)

LICENSE("GPL");
