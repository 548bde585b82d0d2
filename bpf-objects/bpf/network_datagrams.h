/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams, call by call: typed or raw tracepoints, else functions by fexit or by kprobes. */
#ifndef SWIFT_EBPF_NETWORK_DATAGRAMS_H
#define SWIFT_EBPF_NETWORK_DATAGRAMS_H

#include "network_socket.h"
#include "registers.h"

INLINE bool is_datagram(u16 protocol)
{
	return protocol == PROTOCOL_UDP || protocol == PROTOCOL_UDPLITE;
}

/* What identifies a socket for good; on kernels that cannot say, its address. */
INLINE u64 socket_name(u64 cookie, const struct sock *sk) { return cookie ? cookie : (u64)sk; }

/* One send or receive call came back with `result`. */
static NOINLINE int datagram(const struct sock *sk, u64 name, s64 result, bool sent)
{
	const struct network_control *how = settings();
	struct network_counters *counts = count();
	const struct economy *thrift;
	struct network_socket *entry, *fresh;
	u32 zero = 0;
	u64 now, weight;
	void *map;

	if (!how || !counts || result == -EAGAIN)
		return 0;
	COUNT(counts->udp_seen);
	fresh = bpf_map_lookup_elem(&socket_scratch, &zero);
	map = bpf_map_lookup_elem(&active_sockets, &zero);
	thrift = bpf_map_lookup_elem(&economy, &zero);
	if (!fresh || !map || !thrift)
		return 0; /* arrays: cannot happen */
	if (how->paused || !process_wanted(bpf_get_current_pid_tgid() >> 32)) {
		COUNT(counts->udp_unwanted);
		return 0;
	}
	weight = economy_weight(thrift);
	if (UNLIKELY(weight == 0)) {
		COUNT(counts->udp_sampled_out);
		return 0;
	}
	now = bpf_ktime_get_ns();
	entry = bpf_map_lookup_elem(map, &name);
	if (!entry) {
		__builtin_memset(fresh, 0, sizeof(*fresh));
		fresh->first = now;
		current_owner(&fresh->owner);
		read_tuple(sk, &fresh->tuple, socket_protocol(sk));
		if (!address_wanted(&fresh->tuple, how->flags, how->netns)) {
			COUNT(counts->udp_unwanted);
			return 0;
		}
		if (bpf_map_update_elem(map, &name, fresh, UPDATE_NOEXIST) == 0) {
			COUNT(counts->udp_sockets);
			note_first(counts, now);
		}
		entry = bpf_map_lookup_elem(map, &name);
		if (!entry) {
			COUNT(counts->udp_full);
			if (result > 0 && sent)
				ADD(counts->udp_full_bytes_sent, result * weight);
			if (result > 0 && !sent)
				ADD(counts->udp_full_bytes_received, result * weight);
			return 0;
		}
	}
	COUNT(counts->udp_recorded);
	entry->last = now;
	if (sent && result < 0) {
		ADD(entry->send_errors, weight);
	} else if (sent) {
		ADD(entry->sent_messages, weight);
		ADD(entry->sent_bytes, result * weight);
	} else if (result < 0) {
		ADD(entry->receive_errors, weight);
	} else {
		ADD(entry->received_messages, weight);
		ADD(entry->received_bytes, result * weight);
	}
	return 0;
}

/* The family is looked at as well: netlink has protocols of the same numbers. */
INLINE bool is_internet(u16 family) { return family == AF_INET || family == AF_INET6; }

SEC("tp_btf/sock_send_length")
int network_send_btf(struct tracepoint_arguments *context)
{
	const struct sock *sk = (const void *)context->args[0];

	if (LIKELY(!is_datagram(sk->sk_protocol)) || !is_internet(sk->__sk_common.skc_family))
		return 0;
	return datagram(sk, socket_name(bpf_get_socket_cookie(sk), sk), (s32)context->args[1], 1);
}

SEC("tp_btf/sock_recv_length")
int network_receive_btf(struct tracepoint_arguments *context)
{
	const struct sock *sk = (const void *)context->args[0];

	if (LIKELY(!is_datagram(sk->sk_protocol)) || !is_internet(sk->__sk_common.skc_family) ||
	    (context->args[2] & MSG_PEEK))
		return 0;
	return datagram(sk, socket_name(bpf_get_socket_cookie(sk), sk), (s32)context->args[1], 0);
}

INLINE int raw_datagram(const struct sock *sk, s64 result, bool sent)
{
	u16 family = 0;

	if (LIKELY(!is_datagram(socket_protocol(sk))))
		return 0;
	core_read(&family, sk, __sk_common.skc_family);
	return is_internet(family) ? datagram(sk, (u64)sk, (s32)result, sent) : 0;
}

SEC("raw_tp/sock_send_length")
int network_send_raw(struct tracepoint_arguments *context)
{
	return raw_datagram((const void *)context->args[0], context->args[1], 1);
}

SEC("raw_tp/sock_recv_length")
int network_receive_raw(struct tracepoint_arguments *context)
{
	if (context->args[2] & MSG_PEEK)
		return 0;
	return raw_datagram((const void *)context->args[0], context->args[1], 0);
}

/* ---- Before Linux 6.3 there is no such tracepoint: functions. An IPv6 socket that sends to an IPv4
 * address goes through both: it is counted in its own. Before 5.19 a receiving function has one more
 * argument, and messages that are only looked at cannot be told from others. ---- */

struct send_call {
	u64 sk, message, length, result;
};

struct receive_call {
	u64 sk, message, length, flags, address_length, result;
};

SEC("fexit/udp_sendmsg")
int network_send_version_4(struct send_call *context)
{
	const struct sock *sk = (const void *)context->sk;

	if (sk->__sk_common.skc_family != AF_INET)
		return 0;
	return datagram(sk, socket_name(bpf_get_socket_cookie(sk), sk), (s32)context->result, 1);
}

SEC("fexit/udpv6_sendmsg")
int network_send_version_6(struct send_call *context)
{
	const struct sock *sk = (const void *)context->sk;

	return datagram(sk, socket_name(bpf_get_socket_cookie(sk), sk), (s32)context->result, 1);
}

SEC("fexit/udp_recvmsg")
int network_receive_version_4(struct receive_call *context)
{
	const struct sock *sk = (const void *)context->sk;

	if (sk->__sk_common.skc_family != AF_INET || (context->flags & MSG_PEEK))
		return 0;
	return datagram(sk, socket_name(bpf_get_socket_cookie(sk), sk), (s32)context->result, 0);
}

SEC("fexit/udpv6_recvmsg")
int network_receive_version_6(struct receive_call *context)
{
	const struct sock *sk = (const void *)context->sk;

	if (context->flags & MSG_PEEK)
		return 0;
	return datagram(sk, socket_name(bpf_get_socket_cookie(sk), sk), (s32)context->result, 0);
}

/* ---- The same functions by kprobes, where there are no trampolines (arm64 before Linux 6.0): the
 * socket waits in a table for the result. ---- */

enum datagram_function { SEND_VERSION_4, SEND_VERSION_6, RECEIVE_VERSION_4, RECEIVE_VERSION_6 };

struct datagram_call {
	u64 thread;
	u64 function; /* enum datagram_function */
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4096);
	__type(key, struct datagram_call);
	__type(value, u64);
} datagram_calls SEC(".maps");

static NOINLINE int lost_call(void)
{
	struct network_counters *counts = count();

	if (counts) {
		COUNT(counts->udp_seen);
		COUNT(counts->udp_full);
	}
	return 0;
}

static NOINLINE int datagram_begins(u64 sk, u32 function, u64 flags)
{
	struct datagram_call call = { bpf_get_current_pid_tgid(), function };
	u16 family = 0;

	if (function == SEND_VERSION_4 || function == RECEIVE_VERSION_4) {
		core_read(&family, (const struct sock *)sk, __sk_common.skc_family);
		if (family != AF_INET)
			return 0;
	}
	/* The kernel has room for a number of results only; one that it missed left its call behind. */
	if (bpf_map_delete_elem(&datagram_calls, &call) == 0)
		lost_call();
	if (!(flags & MSG_PEEK) &&
	    bpf_map_update_elem(&datagram_calls, &call, &sk, UPDATE_ANY) != 0)
		lost_call();
	return 0;
}

static NOINLINE int datagram_returns(u32 function, u64 result)
{
	struct datagram_call call = { bpf_get_current_pid_tgid(), function };
	const u64 *entry = bpf_map_lookup_elem(&datagram_calls, &call);
	u64 sk;

	if (!entry)
		return 0;
	sk = *entry;
	bpf_map_delete_elem(&datagram_calls, &call);
	return datagram((const void *)sk, sk, (s32)result,
			function == SEND_VERSION_4 || function == SEND_VERSION_6);
}

#define DATAGRAM_PROBES(name, target, function, flags) \
	SEC("kprobe/" target) \
	int name##_begins(void *context) \
	{ \
		return datagram_begins(first_argument(context), function, flags); \
	} \
\
	SEC("kretprobe/" target) \
	int name##_returns(void *context) \
	{ \
		return datagram_returns(function, returned_value(context)); \
	}

DATAGRAM_PROBES(network_send_4, "udp_sendmsg", SEND_VERSION_4, 0)
DATAGRAM_PROBES(network_send_6, "udpv6_sendmsg", SEND_VERSION_6, 0)
DATAGRAM_PROBES(network_receive_4, "udp_recvmsg", RECEIVE_VERSION_4, fourth_argument(context))
DATAGRAM_PROBES(network_receive_6, "udpv6_recvmsg", RECEIVE_VERSION_6, fourth_argument(context))

#endif
