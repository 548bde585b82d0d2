/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a task that is not the current one is recorded: for iterators, and for who is woken.
 * Included once by an object.
 */
#ifndef SWIFT_EBPF_TASK_FILTER_H
#define SWIFT_EBPF_TASK_FILTER_H

#include "process_filter.h"

struct kernfs_node___filter {
	u64 id;
} CORE;

struct cgroup_subsys_state___filter {
	struct cgroup___filter *cgroup;
	struct cgroup_subsys_state___filter *parent;
} CORE;

struct cgroup___filter {
	struct cgroup_subsys_state___filter self;
	struct kernfs_node___filter *kn;
} CORE;

struct css_set___filter {
	struct cgroup___filter *dfl_cgrp;
} CORE;

struct task_struct___other {
	int tgid;
	struct css_set___filter *cgroups;
	struct task_struct___other *group_leader;
	char comm[COMMAND_LENGTH];
} CORE;

INLINE bool task_command_matches(const struct task_struct___other *task)
{
	const struct task_struct___other *leader = NULL;
	struct filter_command command = {};

	core_read(&command.name, task, comm);
	command.name[COMMAND_LENGTH - 1] = 0;
	if (bpf_map_lookup_elem(&command_filter, &command))
		return 1;
	if (core_read(&leader, task, group_leader) != 0 ||
	    core_read(&command.name, leader, comm) != 0)
		return 0;
	command.name[COMMAND_LENGTH - 1] = 0;
	return bpf_map_lookup_elem(&command_filter, &command) != NULL;
}

/* The cgroup (v2) of a task, whatever the suffix of its type. */
INLINE const struct cgroup___filter *cgroup_of(const void *address)
{
	const struct task_struct___other *task = address;
	const struct css_set___filter *set = NULL;
	const struct cgroup___filter *cgroup = NULL;

	if (core_read(&set, task, cgroups) == 0)
		core_read(&cgroup, set, dfl_cgrp);
	return cgroup;
}

INLINE u64 cgroup_id(const struct cgroup___filter *cgroup)
{
	const struct kernfs_node___filter *node = NULL;
	u64 id = 0;

	if (core_read(&node, cgroup, kn) == 0)
		core_read(&id, node, id);
	return id;
}

#define CGROUP_LISTED 1 /* no address */

/* CGROUP_LISTED when the filter has the cgroup at that address; otherwise the address of the one above
 * it, 0 for none. Global, so that the verifier looks at it once and not for each level. */
NOINLINE u64 cgroup_listed_or_above(u64 address)
{
	const struct cgroup___filter *cgroup = (const void *)address;
	const struct cgroup_subsys_state___filter *parent = NULL;
	u64 id = cgroup_id(cgroup);

	if (bpf_map_lookup_elem(&cgroup_filter, &id))
		return CGROUP_LISTED;
	core_read(&parent, cgroup, self.parent);
	cgroup = NULL;
	if (parent)
		core_read(&cgroup, parent, cgroup);
	return (u64)cgroup;
}

INLINE bool task_cgroup_matches(const struct task_struct___other *task)
{
	u64 cgroup = (u64)cgroup_of(task);

#pragma clang loop unroll(disable)
	for (int level = 0; level < CGROUP_LEVELS && cgroup > CGROUP_LISTED; level++)
		cgroup = cgroup_listed_or_above(cgroup);
	return cgroup == CGROUP_LISTED;
}

/* process_wanted for any task, whatever the suffix of its type. */
static NOINLINE int task_wanted(const void *address)
{
	const struct task_struct___other *task = address;
	const struct process_filter *filter;
	u32 zero = 0, tgid = 0;

	filter = bpf_map_lookup_elem(&filter_control, &zero);
	if (!filter || core_read(&tgid, task, tgid) != 0 || tgid == 0 ||
	    tgid == filter->excluded_tgid)
		return 0;
	if ((filter->flags & FILTER_PIDS) && !bpf_map_lookup_elem(&pid_filter, &tgid))
		return 0;
	if ((filter->flags & FILTER_COMMANDS) && !task_command_matches(task))
		return 0;
	return !(filter->flags & FILTER_CGROUPS) || task_cgroup_matches(task);
}

#endif
