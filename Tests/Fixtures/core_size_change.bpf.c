/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct loads whose width the loader corrects: unsigned integers and pointers may have another
 * size here than in the kernel. A system call while `ask` is attached fills `values` with its
 * task's start time (64 bits in the kernel, 32 here: widened), its flags (32 there, 64 here:
 * narrowed) and its group leader's address.
 */
#include "helpers.h"

struct task_struct {
	u32 start_time;
	u64 flags;
	struct task_struct *group_leader;
} CORE;

u64 values[3];

SEC("tp_btf/sys_enter")
int ask(u64 *context)
{
	struct task_struct *task = bpf_get_current_task_btf();

	values[0] = task->start_time;
	values[1] = task->flags;
	values[2] = (u64)task->group_leader;
	return 0;
}

LICENSE("GPL");
