/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Flavours": name___anything is the kernel's `name`; only what follows the last ___ is dropped.
 * A test run of `ask` fills `answers`: the state of a task is `state` before Linux 5.14, `__state`
 * since; the second and third answer exclude each other.
 */
#include "helpers.h"

struct task_struct___old {
	volatile long state;
} CORE;

struct task_struct___new {
	unsigned int __state;
} CORE;

/* Which in truth has no such name: "task_struct___twice" is looked for, and is not there. */
struct task_struct___twice___over {
	int pid;
} CORE;

u64 answers[5];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	struct task_struct___old *old = NULL;
	struct task_struct___new *new = NULL;
	struct task_struct___twice___over *twice = NULL;

	answers[0] = core_type_exists(struct task_struct___old);
	answers[1] = core_field_exists(old->state);
	answers[2] = core_field_exists(new->__state);
	answers[3] = core_field_exists(new->__state) ? core_field_offset(new->__state)
						     : core_field_offset(old->state);
	answers[4] = core_field_exists(twice->pid);
	return 0;
}

LICENSE("GPL");
