/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A field that is not in the kernel, used without asking. Must not load: the loader turns the
 * poisoned instruction in the verifier's log back into the name task_struct.swift_ebpf_missing.
 */
#include "helpers.h"

struct task_struct {
	int swift_ebpf_missing;
} CORE;

int value;

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	core_read(&value, task, swift_ebpf_missing);
	return 0;
}

LICENSE("GPL");
