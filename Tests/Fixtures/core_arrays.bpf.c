/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CO-RE through arrays, anonymous members and pointers to arrays. A test run of `ask` fills
 * `answers` with offsets; [6] is 0: the kernel's array has no such element.
 */
#include "helpers.h"

struct task_struct {
	char comm[16];
} CORE;

struct sock_common {
	union {
		struct {
			u32 skc_daddr;
			u32 skc_rcv_saddr;
		};
	};
	union {
		unsigned int skc_hash;
		u16 skc_u16hashes[2];
	};
} CORE;

/* Anonymous here, flat: the search goes through the kernel's anonymous members. */
struct sock_common___flat {
	u32 skc_rcv_saddr;
	u16 skc_u16hashes[2];
} CORE;

/* A flexible array at the end: any element of it exists. */
struct bpf_array {
	u32 elem_size;
	char value[];
} CORE;

struct task_struct___longer {
	char comm[64];
} CORE;

u64 answers[8];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	struct task_struct *task = NULL;
	struct sock_common *sock = NULL;
	struct sock_common___flat *flat = NULL;
	struct bpf_array *array = NULL;
	struct task_struct___longer *longer = NULL;

	answers[0] = core_field_offset(task->comm[0]);
	answers[1] = core_field_offset(task->comm[5]);
	answers[2] = core_field_offset(sock->skc_rcv_saddr);
	answers[3] = core_field_offset(sock->skc_u16hashes[1]);
	answers[4] = core_field_offset(flat->skc_u16hashes[1]);
	answers[5] = core_field_offset(array->value[7]);
	answers[6] = core_field_exists(longer->comm[40]);
	answers[7] = core_field_offset(task[1].comm[1]);
	return 0;
}

LICENSE("GPL");
