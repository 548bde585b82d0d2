/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A congestion control of our own: programs that implement the kernel's `struct tcp_congestion_ops`.
 * The structure here has a flavour, another order, and members that no kernel has; the loader lays it
 * out as the running kernel does. A connection that uses it calls `init` once, `ssthresh` when packets
 * are lost, `cong_avoid` when data are acknowledged, and `release` at its end; each is counted.
 *
 * `by_update` (".struct_ops") is registered by writing its map, `by_link` (".struct_ops.link") by a
 * link, since Linux 6.4. Both share their functions. `on_request` is made only when asked for, and
 * `misfit` is refused: it uses a member that no kernel has.
 */
#include "helpers.h"

struct sock {
	int unused;
};

/* What the programs read and write of `struct tcp_sock`; a `struct sock` they get is one. */
struct tcp_sock {
	u32 snd_cwnd;
	u32 snd_ssthresh;
} CORE;

struct tcp_congestion_ops___ours {
	void (*swift_ebpf_missing)(struct sock *sk);
	char name[16];
	u32 (*undo_cwnd)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 acknowledged, u32 count);
	u32 (*ssthresh)(struct sock *sk);
	u64 swift_ebpf_number;
	void (*init)(struct sock *sk);
	void (*release)(struct sock *sk);
	u32 flags;
};

u64 inits = 0;
u64 releases = 0;
u64 acknowledgements = 0;
u64 acknowledged_packets = 0;
u64 reductions = 0;
u64 undos = 0;

/* Arguments come as an array of 64-bit values. */
#define TCP(context) ((struct tcp_sock *)(context)[0])

SEC("struct_ops")
void ours_init(u64 *context)
{
	ADD_ONE(&inits);
}

SEC("struct_ops")
void ours_release(u64 *context)
{
	ADD_ONE(&releases);
}

SEC("struct_ops/cong_avoid")
void ours_avoid(u64 *context)
{
	struct tcp_sock *tcp = TCP(context);
	u32 count = context[2];

	ADD_ONE(&acknowledgements);
	__atomic_fetch_add(&acknowledged_packets, count, __ATOMIC_RELAXED);
	if (tcp->snd_cwnd < 64)
		tcp->snd_cwnd = tcp->snd_cwnd + 1;
}

SEC("struct_ops/ssthresh")
u32 ours_threshold(u64 *context)
{
	u32 half = TCP(context)->snd_cwnd / 2;

	ADD_ONE(&reductions);
	return half < 2 ? 2 : half;
}

SEC("struct_ops/undo_cwnd")
u32 ours_undo(u64 *context)
{
	ADD_ONE(&undos);
	return TCP(context)->snd_cwnd;
}

/* Loaded only with `on_request`. */
SEC("struct_ops/release")
void other_release(u64 *context)
{
}

SEC("?struct_ops")
void misplaced(u64 *context)
{
}

#define OURS(itself)                                                                \
	.name = itself, .init = (void *)ours_init, .cong_avoid = (void *)ours_avoid, \
	.ssthresh = (void *)ours_threshold, .undo_cwnd = (void *)ours_undo

struct tcp_congestion_ops___ours by_update SEC(".struct_ops") = {
	OURS("ebpf_update"), .release = (void *)ours_release,
};

struct tcp_congestion_ops___ours by_link SEC(".struct_ops.link") = {
	OURS("ebpf_link"), .release = (void *)ours_release,
};

struct tcp_congestion_ops___ours on_request SEC("?.struct_ops") = {
	OURS("ebpf_request"), .release = (void *)other_release,
};

struct tcp_congestion_ops___ours misfit SEC("?.struct_ops") = {
	OURS("ebpf_misfit"), .swift_ebpf_missing = (void *)misplaced,
};

LICENSE("GPL");
