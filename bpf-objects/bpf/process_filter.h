/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose events a tracer records. Included once by an object; user space fills the maps
 * (ProcessFilterMaps.swift) at any time, also while the programs run. Objects may share all of them but
 * filter_control.
 *
 *   map               type    key                        value
 *   filter_control    array   u32 (0)                    struct process_filter
 *   pid_filter        hash    u32 process id             u32 enum pid_filter_bits (pid_filter.h), and the named one
 *   command_filter    hash    char[16], zero filled      u32 (1)
 *   cgroup_filter     hash    u64 cgroup id (v2)         u32 (1)
 *
 * Filters of different kinds must all agree; within one kind any entry is enough. Process ids are
 * those of the initial pid namespace.
 */
#ifndef SWIFT_EBPF_PROCESS_FILTER_H
#define SWIFT_EBPF_PROCESS_FILTER_H

#include "pid_filter.h"

#define COMMAND_LENGTH 16
/* Levels of the cgroup tree that an ancestor match looks at, from the root down. */
#define CGROUP_LEVELS 32

enum process_filter_flags {
	FILTER_PIDS = 1 << 0,     /* only processes in pid_filter */
	FILTER_COMMANDS = 1 << 1, /* only where the thread's or its process's name is in
				   * command_filter */
	FILTER_CGROUPS = 1 << 2,  /* only where the cgroup or one above it is in cgroup_filter */
};

struct process_filter {
	u32 flags;         /* enum process_filter_flags */
	u32 excluded_tgid; /* a process never recorded (ourselves); 0: none */
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct process_filter);
} filter_control SEC(".maps");

struct filter_command {
	char name[COMMAND_LENGTH];
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 256);
	__type(key, struct filter_command);
	__type(value, u32);
} command_filter SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, u32);
} cgroup_filter SEC(".maps");

/* The kernel fields that filtering reads; the loader finds them by name, whatever the suffix. */
struct task_struct___filter {
	struct task_struct___filter *group_leader;
	char comm[COMMAND_LENGTH];
} CORE;

INLINE bool filter_command_matches(void)
{
	const struct task_struct___filter *task = (const void *)bpf_get_current_task();
	const struct task_struct___filter *leader;
	struct filter_command command;

	if (bpf_get_current_comm(&command, sizeof(command)) == 0 &&
	    bpf_map_lookup_elem(&command_filter, &command))
		return 1;
	if (core_read(&leader, task, group_leader) != 0 ||
	    core_read(&command.name, leader, comm) != 0)
		return 0;
	/* The kernel keeps the tail zeroed; be sure, since the whole array is the key. */
	command.name[COMMAND_LENGTH - 1] = 0;
	return bpf_map_lookup_elem(&command_filter, &command) != NULL;
}

/* 1 when the filter has the cgroup of this level, -1 when there is none so far down. Global, so that
 * the verifier looks at it once and not for each level. */
NOINLINE int filter_has_level(int level)
{
	u64 id = bpf_get_current_ancestor_cgroup_id(level);

	if (id == 0)
		return -1;
	return bpf_map_lookup_elem(&cgroup_filter, &id) != NULL;
}

INLINE bool filter_cgroup_matches(void)
{
	u64 id = bpf_get_current_cgroup_id();
	int has = bpf_map_lookup_elem(&cgroup_filter, &id) != NULL;

#pragma clang loop unroll(disable)
	for (int level = 0; level < CGROUP_LEVELS && has == 0; level++)
		has = filter_has_level(level);
	return has > 0;
}

/* Global, too: whoever asks is not looked at again for each way through it. */
NOINLINE int filters_match(u32 flags, u32 tgid)
{
	if ((flags & FILTER_PIDS) && !bpf_map_lookup_elem(&pid_filter, &tgid))
		return 0;
	if ((flags & FILTER_COMMANDS) && !filter_command_matches())
		return 0;
	return !(flags & FILTER_CGROUPS) || filter_cgroup_matches();
}

/* True when events of the current task are recorded. */
INLINE bool process_wanted(u32 tgid)
{
	const struct process_filter *filter;
	u32 zero = 0, flags;

	filter = bpf_map_lookup_elem(&filter_control, &zero);
	if (!filter)
		return 0; /* an array: cannot happen */
	if (tgid != 0 && tgid == filter->excluded_tgid)
		return 0;
	flags = filter->flags;
	return LIKELY(flags == 0) || filters_match(flags, tgid) != 0;
}

#endif
