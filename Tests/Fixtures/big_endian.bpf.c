/* cflags: -target bpfeb */
/* SPDX-License-Identifier: Apache-2.0 */
/* For big-endian machines: every parser reads it, a little-endian kernel cannot load it. */
#include "helpers.h"

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 0x1234);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

struct task_struct {
	int tgid;
} CORE;

u32 number = 0x01020304;

SEC("raw_tp/sys_enter")
int count(void *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u32 tgid = 0;
	u64 one = 1;

	core_read(&tgid, task, tgid);
	tgid += number;
	bpf_map_update_elem(&counts, &tgid, &one, UPDATE_ANY);
	return 0;
}

LICENSE("GPL");
