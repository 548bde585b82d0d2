/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs at the entry and at the return of getppid (x86_64's function), for one process (target_tgid;
 * 0: nobody). Linux 6.10, with CONFIG_FPROBE.
 */
#include "helpers.h"

u32 target_tgid = 0;
u64 runs = 0;

SEC("kprobe.session/__x64_sys_getppid")
int count_both(void *context)
{
	u32 target = READ_ONCE(target_tgid);

	if (target != 0 && bpf_get_current_pid_tgid() >> 32 == target)
		ADD_ONE(&runs);
	return 0; /* at the entry: run at the return as well */
}

LICENSE("GPL");
