/* SPDX-License-Identifier: Apache-2.0 */
/* "?" marks a program that is not loaded unless asked for. The second could not load anywhere. */
#include "helpers.h"

struct task_struct {
	int swift_ebpf_missing;
} CORE;

u64 runs;

SEC("raw_tp/sys_enter")
int always(void *context)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

SEC("?raw_tp/sys_enter")
int on_request(void *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	int value = 0;

	core_read(&value, task, swift_ebpf_missing);
	return value;
}

LICENSE("GPL");
