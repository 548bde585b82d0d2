/* SPDX-License-Identifier: Apache-2.0 */
/* DNS messages and dropped packets, on request. */
#ifndef SWIFT_EBPF_NETWORK_PACKETS_H
#define SWIFT_EBPF_NETWORK_PACKETS_H

#include "network_socket.h"

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
	__builtin_memset(&record->span, 0, sizeof(record->span));
	if (direction == PACKET_QUERY) {
		current_owner(&record->owner);
		if (threads_tell())
			find_span(&record->span, counts);
	}
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
	const struct economy *thrift;
	struct network_drop_key key = {};
	unsigned int length = 0;
	u32 zero = 0;
	u16 protocol = 0;
	u64 weight;

	thrift = bpf_map_lookup_elem(&economy, &zero);
	if (!how || !counts || !thrift)
		return 0;
	COUNT(counts->drop_seen);
	if (how->paused) {
		COUNT(counts->drop_unwanted);
		return 0;
	}
	weight = economy_weight(thrift);
	if (UNLIKELY(weight == 0)) {
		COUNT(counts->drop_sampled_out);
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
	ADD(entry->packets, weight);
	ADD(entry->bytes, length * weight);
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
