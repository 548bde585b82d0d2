/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that the kernel attaches by trampoline. While they are attached, a test run of either
 * makes the kernel call its own bpf_fentry_test1(1), which returns 2: `argument` becomes 1,
 * `result` 2. Where a kernel's policy forbids trampolines, loading fails with EPERM and an empty
 * log.
 */
#include "helpers.h"

u64 entry_runs, exit_runs;
u64 argument, result;

SEC("fentry/bpf_fentry_test1")
int on_entry(u64 *context)
{
	entry_runs++;
	return 0;
}

SEC("fexit/bpf_fentry_test1")
int on_exit(u64 *context)
{
	exit_runs++;
	argument = (u32)context[0];
	result = (u32)context[1];
	return 0;
}

LICENSE("GPL");
