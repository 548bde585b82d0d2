/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CO-RE records in functions that a loader copies behind two programs: one static, one global, in
 * .text. The second program also has records of its own before and after the call. Test runs fill
 * `offsets` with those of task_struct's pid, comm, tgid and flags.
 */
#include "helpers.h"

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	char comm[16];
} CORE;

u64 offsets[4];

static NOINLINE u64 offset_of_pid(u64 nothing)
{
	struct task_struct *task = NULL;

	return core_field_offset(task->pid) + READ_ONCE(nothing);
}

NOINLINE u64 offset_of_comm(u64 nothing)
{
	struct task_struct *task = NULL;

	return core_field_offset(task->comm) + READ_ONCE(nothing);
}

SEC("raw_tp/sys_enter")
int first(void *context)
{
	offsets[0] = offset_of_pid(0);
	return 0;
}

SEC("raw_tp/sys_exit")
int second(void *context)
{
	struct task_struct *task = NULL;

	offsets[2] = core_field_offset(task->tgid);
	offsets[1] = offset_of_comm(0) + offset_of_pid(0) - offset_of_pid(0);
	offsets[3] = core_field_offset(task->flags);
	return 0;
}

LICENSE("GPL");
