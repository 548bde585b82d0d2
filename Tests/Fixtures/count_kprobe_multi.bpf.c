/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts the calls of one process (target_tgid; 0: nobody) that the pattern in the section means:
 * x86_64's getppid and getpgid. Linux 5.18, with CONFIG_FPROBE to attach.
 */
#include "helpers.h"

u32 target_tgid = 0;
u64 entries = 0;
u64 returns = 0;
u64 cookies = 0;

INLINE bool is_target(void)
{
	u32 target = READ_ONCE(target_tgid);

	return target != 0 && bpf_get_current_pid_tgid() >> 32 == target;
}

SEC("kprobe.multi/__x64_sys_getp?id")
int count_entries(void *context)
{
	if (is_target()) {
		ADD_ONE(&entries);
		__sync_fetch_and_add(&cookies, bpf_get_attach_cookie(context));
	}
	return 0;
}

SEC("kretprobe.multi/__x64_sys_getp?id")
int count_returns(void *context)
{
	if (is_target())
		ADD_ONE(&returns);
	return 0;
}

LICENSE("GPL");
