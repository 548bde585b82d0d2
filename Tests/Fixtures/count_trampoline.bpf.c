/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts what one process (target_tgid; 0: nobody) does by trampolines: openat at its entry
 * (x86_64's function), and files opened at the return, which sees the arguments and the result.
 */
#include "helpers.h"

u32 target_tgid = 0;
u64 entries = 0;
u64 cookies = 0;
u64 opened = 0;
u64 failed = 0;
u64 from_here = 0;

enum { AT_FDCWD = -100 };

INLINE bool is_target(void)
{
	u32 target = READ_ONCE(target_tgid);

	return target != 0 && bpf_get_current_pid_tgid() >> 32 == target;
}

SEC("fentry/__x64_sys_openat")
int count_entry(u64 *context)
{
	if (is_target()) {
		ADD_ONE(&entries);
		__sync_fetch_and_add(&cookies, bpf_get_attach_cookie(context));
	}
	return 0;
}

/* do_sys_openat2(directory, name, how) and what it returned */
SEC("fexit/do_sys_openat2")
int count_opened(u64 *context)
{
	if (!is_target())
		return 0;
	if ((s64)context[3] < 0)
		ADD_ONE(&failed);
	else
		ADD_ONE(&opened);
	if ((s32)context[0] == AT_FDCWD)
		ADD_ONE(&from_here);
	return 0;
}

LICENSE("GPL");
