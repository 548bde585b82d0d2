/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CO-RE records 0 byte_off, 1 byte_sz, 2 field_exists, 3 signed, 4 lshift_u64, 5 rshift_u64 on
 * plain fields. A test run of `ask` fills `answers`; the expected values follow from the kernel's
 * BTF.
 */
#include "helpers.h"

struct list_head {
	struct list_head *next;
} CORE;

/* Two fields, in another order than the kernel's, between nothing else. */
struct task_struct {
	char comm[16];
	int exit_code;
	int pid;
	unsigned int flags;
	u64 start_time;
	struct list_head tasks;
	struct task_struct *group_leader;
} CORE;

u64 answers[16];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	struct task_struct *task = NULL;

	answers[0] = core_field_offset(task->pid);
	answers[1] = core_field_offset(task->comm);
	answers[2] = core_field_offset(task->tasks.next);
	answers[3] = core_field_offset(task->start_time);
	answers[4] = core_field_size(task->pid);
	answers[5] = core_field_size(task->comm);
	answers[6] = core_field_size(task->start_time);
	answers[7] = core_field_exists(task->pid);
	answers[8] = core_field_exists(task->group_leader);
	answers[9] = core_field_signed(task->pid);
	answers[10] = core_field_signed(task->flags);
	answers[11] = core_field_lshift(task->pid);
	answers[12] = core_field_rshift(task->pid);
	answers[13] = core_field_lshift(task->start_time);
	answers[14] = core_field_rshift(task->start_time);
	answers[15] = core_field_offset(task->tasks);
	return 0;
}

LICENSE("GPL");
