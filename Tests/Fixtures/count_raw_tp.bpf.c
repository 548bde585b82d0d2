/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts system calls of one process through the raw tracepoints, without tracefs.
 * target_tgid 0 counts nothing. Set it after loading: it is in .bss.
 */
#include "helpers.h"
#include "syscall_counts.h"

/* sys_enter (registers, id): args[1]. sys_exit (registers, result): args[1]; the id of a call that
 * returns is not among its arguments. */
struct raw_tracepoint {
	u64 args[2];
};

SEC("raw_tp/sys_enter")
int count_enter(struct raw_tracepoint *context)
{
	count_syscall_enter((s64)context->args[1]);
	return 0;
}

SEC("raw_tp/sys_exit")
int count_exit(struct raw_tracepoint *context)
{
	count_syscall_exit((s64)context->args[1]);
	return 0;
}

LICENSE("GPL");
