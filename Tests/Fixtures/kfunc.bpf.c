/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of kernel functions by BTF id. A test run of `look_up` (type syscall) sets `found_tgid` to
 * `wanted` when that process exists. bpf_task_from_pid came with Linux 6.2: on an older kernel
 * this object must fail and name it. The weak one exists nowhere and is never called.
 */
#include "helpers.h"

struct task_struct {
	int tgid;
} CORE;

extern struct task_struct *bpf_task_from_pid(s32 pid) KSYM;
extern void bpf_task_release(struct task_struct *task) KSYM;
extern int swift_ebpf_missing_kfunc(int number) KSYM WEAK;

s32 wanted = 0;
s32 found_tgid = 0;
u32 missing_exists = 0;

SEC("syscall")
int look_up(void *context)
{
	struct task_struct *task = bpf_task_from_pid(wanted);

	if (task) {
		found_tgid = task->tgid;
		bpf_task_release(task);
	}
	if (swift_ebpf_missing_kfunc) {
		missing_exists = 1;
		swift_ebpf_missing_kfunc(1);
	}
	return 0;
}

LICENSE("GPL");
