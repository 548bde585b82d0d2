/* SPDX-License-Identifier: Apache-2.0 */
/* As count_raw_tp, through the tracepoints of tracefs (perf events). */
#include "helpers.h"
#include "syscall_counts.h"

/* events/raw_syscalls/sys_enter/format: id at 8. sys_exit: id at 8, ret at 16. */
struct sys_enter {
	u64 common;
	s64 id;
	u64 arguments[6];
};

struct sys_exit {
	u64 common;
	s64 id;
	s64 result;
};

SEC("tracepoint/raw_syscalls/sys_enter")
int count_enter(struct sys_enter *context)
{
	count_syscall_enter(context->id);
	return 0;
}

SEC("tp/raw_syscalls/sys_exit")
int count_exit(struct sys_exit *context)
{
	count_syscall_exit(context->result);
	return 0;
}

LICENSE("GPL");
