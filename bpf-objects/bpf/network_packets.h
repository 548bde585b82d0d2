/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams call by call; DNS messages and dropped packets on request. */
#ifndef SWIFT_EBPF_NETWORK_PACKETS_H
#define SWIFT_EBPF_NETWORK_PACKETS_H

#include "network_socket.h"

/* ---- Datagrams: call by call ---- */

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
	struct network_socket *entry, *fresh;
	u32 zero = 0;
	void *map;
	u64 now;

	if (!how || !counts || result == -EAGAIN)
		return 0;
	COUNT(counts->udp_seen);
	fresh = bpf_map_lookup_elem(&socket_scratch, &zero);
	map = bpf_map_lookup_elem(&active_sockets, &zero);
	if (!fresh || !map)
		return 0; /* arrays: cannot happen */
	if (how->paused || !process_wanted(bpf_get_current_pid_tgid() >> 32)) {
		COUNT(counts->udp_unwanted);
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
				ADD(counts->udp_full_bytes_sent, result);
			if (result > 0 && !sent)
				ADD(counts->udp_full_bytes_received, result);
			return 0;
		}
	}
	COUNT(counts->udp_recorded);
	entry->last = now;
	if (sent && result < 0) {
		COUNT(entry->send_errors);
	} else if (sent) {
		COUNT(entry->sent_messages);
		ADD(entry->sent_bytes, result);
	} else if (result < 0) {
		COUNT(entry->receive_errors);
	} else {
		COUNT(entry->received_messages);
		ADD(entry->received_bytes, result);
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

/* Before Linux 6.3 there is no such tracepoint. An IPv6 socket that sends to an IPv4 address goes
 * through both functions: it is counted in its own. */
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

/* ---- DNS, on request: every packet is looked at ---- */

struct udp_header {
	u16 source;
	u16 destination;
	u16 length;
	u16 checksum;
};

static NOINLINE int packet(const struct sk_buff *skb, u32 direction)
{
	const struct network_control *how = settings();
	struct network_counters *counts = count();
	u16 protocol = 0, offset = 0, port, length;
	struct network_packet *record;
	const struct sock *sk = NULL;
	const struct net_device *device = NULL;
	const struct net *net = NULL;
	unsigned char *head = NULL, *data = NULL;
	unsigned int total = 0, paged = 0, available;
	struct udp_header udp;
	const char *network;
	u8 version[40];
	u32 header, captured;

	if (!how || !counts)
		return 0;
	core_read(&protocol, skb, protocol);
	protocol = swap16(protocol);
	if (protocol != ETHERTYPE_IPV4 && protocol != ETHERTYPE_IPV6)
		return 0;
	core_read(&head, skb, head);
	core_read(&offset, skb, network_header);
	network = (const char *)head + offset;
	if (protocol == ETHERTYPE_IPV4) {
		if (bpf_probe_read_kernel(version, 20, network) != 0)
			return 0;
		/* Only the first fragment has ports. */
		if (version[9] != PROTOCOL_UDP || (version[6] & 0x1f) != 0 || version[7] != 0)
			return 0;
		header = (version[0] & 15) * 4;
		if (header < 20)
			return 0;
	} else {
		if (bpf_probe_read_kernel(version, 40, network) != 0 || version[6] != PROTOCOL_UDP)
			return 0;
		header = 40;
	}
	if (bpf_probe_read_kernel(&udp, sizeof(udp), network + header) != 0)
		return 0;
	port = swap16(direction == PACKET_QUERY ? udp.destination : udp.source);
	if (LIKELY(port != PORT_DNS))
		return 0;
	if (direction == PACKET_QUERY) {
		/* Without a socket it is on its way through, and was seen where it began. */
		core_read(&sk, skb, sk);
		if (!sk)
			return 0;
		core_read(&net, sk, __sk_common.skc_net.net);
	} else {
		core_read(&device, skb, dev);
		core_read(&net, device, nd_net.net);
	}
	COUNT(counts->dns_seen);
	if (how->paused ||
	    (direction == PACKET_QUERY && !process_wanted(bpf_get_current_pid_tgid() >> 32))) {
		COUNT(counts->dns_unwanted);
		return 0;
	}
	record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	if (!record) {
		COUNT(counts->dns_lost);
		return 0;
	}
	record->kind = NETWORK_PACKET;
	record->direction = direction;
	record->time = bpf_ktime_get_ns();
	__builtin_memset(&record->owner, 0, sizeof(record->owner));
	if (direction == PACKET_QUERY)
		current_owner(&record->owner);
	record->tuple.family = protocol == ETHERTYPE_IPV4 ? AF_INET : AF_INET6;
	record->tuple.protocol = PROTOCOL_UDP;
	record->tuple.netns = namespace_of(net);
	record->tuple.padding = 0;
	if (direction == PACKET_QUERY) {
		record->tuple.local_port = swap16(udp.source);
		record->tuple.remote_port = PORT_DNS;
	} else {
		record->tuple.local_port = swap16(udp.destination);
		record->tuple.remote_port = PORT_DNS;
	}
	if (protocol == ETHERTYPE_IPV4) {
		u8 *source = direction == PACKET_QUERY ? record->tuple.local : record->tuple.remote;
		u8 *target = direction == PACKET_QUERY ? record->tuple.remote : record->tuple.local;

		map_version_4(source, (const u32 *)(version + 12));
		map_version_4(target, (const u32 *)(version + 16));
	} else if (direction == PACKET_QUERY) {
		__builtin_memcpy(record->tuple.local, version + 8, 16);
		__builtin_memcpy(record->tuple.remote, version + 24, 16);
	} else {
		__builtin_memcpy(record->tuple.remote, version + 8, 16);
		__builtin_memcpy(record->tuple.local, version + 24, 16);
	}
	length = swap16(udp.length);
	record->length = length > sizeof(udp) ? length - sizeof(udp) : 0;
	/* Only what lies in the first, contiguous part of the packet. */
	core_read(&total, skb, len);
	core_read(&paged, skb, data_len);
	core_read(&data, skb, data);
	available = (u32)(u64)(data + (total - paged) - (unsigned char *)network) - header -
		    sizeof(udp);
	captured = record->length;
	if (captured > available)
		captured = available;
	if (captured > NETWORK_PACKET_LENGTH)
		captured = NETWORK_PACKET_LENGTH;
	if (captured == 0 ||
	    bpf_probe_read_kernel(record->data, captured, network + header + sizeof(udp)) != 0)
		captured = 0;
	record->captured = captured;
	bpf_ringbuf_submit(record, wake_flags(how->flags));
	COUNT(counts->dns_sent);
	return 0;
}

SEC("tp_btf/net_dev_queue")
int network_packet_out_btf(struct tracepoint_arguments *context)
{
	return packet((const void *)context->args[0], PACKET_QUERY);
}

SEC("raw_tp/net_dev_queue")
int network_packet_out_raw(struct tracepoint_arguments *context)
{
	return packet((const void *)context->args[0], PACKET_QUERY);
}

SEC("tp_btf/netif_receive_skb")
int network_packet_in_btf(struct tracepoint_arguments *context)
{
	return packet((const void *)context->args[0], PACKET_RESPONSE);
}

SEC("raw_tp/netif_receive_skb")
int network_packet_in_raw(struct tracepoint_arguments *context)
{
	return packet((const void *)context->args[0], PACKET_RESPONSE);
}

/* ---- Dropped packets, on request ---- */

static NOINLINE int dropped(const struct sk_buff *skb, u64 location, u32 reason)
{
	const struct network_control *how = settings();
	struct network_counters *counts = count();
	struct network_drops *entry, fresh = {};
	struct network_drop_key key = {};
	unsigned int length = 0;
	u16 protocol = 0;

	if (!how || !counts)
		return 0;
	COUNT(counts->drop_seen);
	if (how->paused) {
		COUNT(counts->drop_unwanted);
		return 0;
	}
	core_read(&protocol, skb, protocol);
	core_read(&length, skb, len);
	key.location = location;
	key.reason = reason;
	key.protocol = swap16(protocol);
	entry = bpf_map_lookup_elem(&drop_reasons, &key);
	if (!entry) {
		bpf_map_update_elem(&drop_reasons, &key, &fresh, UPDATE_NOEXIST);
		entry = bpf_map_lookup_elem(&drop_reasons, &key);
		if (!entry) {
			COUNT(counts->drop_full);
			return 0;
		}
	}
	COUNT(entry->packets);
	ADD(entry->bytes, (u64)length);
	COUNT(counts->drop_recorded);
	note_first(counts, bpf_ktime_get_ns());
	return 0;
}

SEC("tp_btf/kfree_skb")
int network_drop_btf(struct tracepoint_arguments *context)
{
	return dropped((const void *)context->args[0], context->args[1], context->args[2]);
}

SEC("raw_tp/kfree_skb")
int network_drop_raw(struct tracepoint_arguments *context)
{
	return dropped((const void *)context->args[0], context->args[1], context->args[2]);
}

#endif
