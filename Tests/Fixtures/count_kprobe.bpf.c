/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts getppid of one process (target_tgid; 0: everybody) at its entry and return. The function
 * is x86_64's; elsewhere attach to another. Loads on a kernel without kprobes: only attaching
 * fails.
 */
#include "helpers.h"

u32 target_tgid = 0;
u64 entries = 0;
u64 returns = 0;
u64 cookies = 0;

INLINE bool is_target(void)
{
	u32 target = READ_ONCE(target_tgid);

	return target == 0 || bpf_get_current_pid_tgid() >> 32 == target;
}

SEC("kprobe/__x64_sys_getppid")
int count_entry(void *context)
{
	if (is_target()) {
		__sync_fetch_and_add(&entries, 1);
		__sync_fetch_and_add(&cookies, bpf_get_attach_cookie(context));
	}
	return 0;
}

SEC("kretprobe/__x64_sys_getppid")
int count_return(void *context)
{
	if (is_target())
		__sync_fetch_and_add(&returns, 1);
	return 0;
}

LICENSE("GPL");
