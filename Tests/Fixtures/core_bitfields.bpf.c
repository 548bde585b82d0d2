/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CO-RE on bit fields: offset and size of the word to load, and both shifts that leave the field.
 * A test run of `ask` fills `answers`, four for each field.
 */
#include "helpers.h"

struct sock_common {
	unsigned char skc_reuse : 4;
	unsigned char skc_reuseport : 1;
	unsigned char skc_ipv6only : 1;
} CORE;

/* The kernel's is a u8 with other neighbours. */
struct tcp_sock {
	u32 nonagle : 4;
	u32 frto : 1;
} CORE;

struct bpf_prog {
	u16 jited : 1;
	u16 gpl_compatible : 1;
} CORE;

/* A bit field here, none in the kernel. */
struct task_struct {
	int exit_code : 31;
} CORE;

u64 answers[32];

#define ASK(number, field) \
	do { \
		answers[4 * (number)] = core_field_offset(field); \
		answers[4 * (number) + 1] = core_field_size(field); \
		answers[4 * (number) + 2] = core_field_lshift(field); \
		answers[4 * (number) + 3] = core_field_rshift(field); \
	} while (0)

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	struct sock_common *sock = NULL;
	struct tcp_sock *tcp = NULL;
	struct bpf_prog *program = NULL;
	struct task_struct *task = NULL;

	ASK(0, sock->skc_reuse);
	ASK(1, sock->skc_reuseport);
	ASK(2, sock->skc_ipv6only);
	ASK(3, tcp->nonagle);
	ASK(4, tcp->frto);
	ASK(5, program->jited);
	ASK(6, program->gpl_compatible);
	ASK(7, task->exit_code);
	return 0;
}

LICENSE("GPL");
