/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user stack of target_tgid (0: nobody) at each system call: its number in the stack-trace map
 * in `id`, and the same addresses, `bytes` of them, in `frames`.
 */
#include "helpers.h"

enum { DEPTH = 127 };

struct {
	__uint(type, MAP_STACK_TRACE);
	__uint(max_entries, 64);
	__uint(key_size, 4);
	__uint(value_size, DEPTH * 8);
} stacks SEC(".maps");

u32 target_tgid = 0;
s64 id = -1;
s64 bytes = 0;
u64 frames[DEPTH];

SEC("raw_tp/sys_enter")
int take_stack(void *context)
{
	u32 target = READ_ONCE(target_tgid);

	if (target == 0 || bpf_get_current_pid_tgid() >> 32 != target)
		return 0;
	id = bpf_get_stackid(context, &stacks, F_USER_STACK | F_REUSE_STACK_ID);
	bytes = bpf_get_stack(context, frames, sizeof(frames), F_USER_STACK);
	return 0;
}

LICENSE("GPL");
