/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is not in the kernel, used only behind a question: must load everywhere. Behind the
 * question the loads are poisoned, and never run. A test run of `ask` fills `answers` with 1 2 3.
 */
#include "helpers.h"

struct task_struct {
	int pid;
	int swift_ebpf_missing;
} CORE;

struct swift_ebpf_missing {
	int field;
} CORE;

struct list_head {
	int next; /* the kernel's is a pointer: a field of that kind does not exist */
} CORE;

u64 answers[3];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct swift_ebpf_missing *missing = (void *)task;
	struct list_head *list = (void *)task;
	int value = 0;

	answers[0] = 1;
	if (core_field_exists(task->swift_ebpf_missing)) {
		core_read(&value, task, swift_ebpf_missing);
		answers[0] = value;
	}
	answers[1] = 2;
	if (core_type_exists(struct swift_ebpf_missing)) {
		core_read(&value, missing, field);
		answers[1] = value;
	}
	answers[2] = 3;
	if (core_field_exists(list->next)) {
		core_read(&value, list, next);
		answers[2] = value;
	}
	return 0;
}

LICENSE("GPL");
