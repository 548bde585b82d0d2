/* SPDX-License-Identifier: Apache-2.0 */
/* As count_raw_tp, through BTF-typed tracepoints: the arguments are checked by the verifier. */
#include "helpers.h"
#include "syscall_counts.h"

SEC("tp_btf/sys_enter")
int count_enter(u64 *context)
{
	count_syscall_enter((s64)context[1]);
	return 0;
}

SEC("tp_btf/sys_exit")
int count_exit(u64 *context)
{
	count_syscall_exit((s64)context[1]);
	return 0;
}

LICENSE("GPL");
