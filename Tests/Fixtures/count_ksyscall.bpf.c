/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As count_kprobe, with the system call's name in the section: the loader knows what its function is
 * called on each architecture.
 */
#include "helpers.h"

u32 target_tgid = 0;
u64 entries = 0;
u64 returns = 0;

INLINE bool is_target(void)
{
	u32 target = READ_ONCE(target_tgid);

	return target != 0 && bpf_get_current_pid_tgid() >> 32 == target;
}

SEC("ksyscall/getppid")
int count_entry(void *context)
{
	if (is_target())
		ADD_ONE(&entries);
	return 0;
}

SEC("kretsyscall/getppid")
int count_return(void *context)
{
	if (is_target())
		ADD_ONE(&returns);
	return 0;
}

LICENSE("GPL");
