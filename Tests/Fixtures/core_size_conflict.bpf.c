/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A direct load of a signed field whose size differs from the kernel's: widening it would lose the
 * sign, so the loader poisons it. Must not load.
 */
#include "helpers.h"

struct task_struct {
	int start_time; /* u64 in the kernel */
} CORE;

s64 value;

SEC("tp_btf/sys_enter")
int ask(u64 *context)
{
	struct task_struct *task = bpf_get_current_task_btf();

	value = task->start_time;
	return 0;
}

LICENSE("GPL");
