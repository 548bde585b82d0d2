/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts the files that one process (target_tgid; 0: nobody) opens, at the security hook and before
 * the function that calls it. Both let everything pass.
 */
#include "helpers.h"

u32 target_tgid = 0;
u64 by_hook = 0;
u64 by_modification = 0;

INLINE bool is_target(void)
{
	u32 target = READ_ONCE(target_tgid);

	return target != 0 && bpf_get_current_pid_tgid() >> 32 == target;
}

SEC("lsm/file_open")
int on_open(u64 *context)
{
	if (is_target())
		ADD_ONE(&by_hook);
	return 0;
}

SEC("fmod_ret/security_file_open")
int before_open(u64 *context)
{
	if (is_target())
		ADD_ONE(&by_modification);
	return 0;
}

LICENSE("GPL");
