/* SPDX-License-Identifier: Apache-2.0 */
/* What network_tracer.bpf.c reads from sockets, whom it filters, and the records it sends. */
#ifndef SWIFT_EBPF_NETWORK_SOCKET_H
#define SWIFT_EBPF_NETWORK_SOCKET_H

#include "network_state.h"
#include "task_filter.h"
#include "thread_context.h"

/* ---- What is read from a socket ---- */

INLINE u16 swap16(u16 value) { return __builtin_bswap16(value); }

INLINE void map_version_4(u8 *address, const u32 *version_4)
{
	__builtin_memset(address, 0, 10);
	address[10] = address[11] = 0xff;
	__builtin_memcpy(address + 12, version_4, 4);
}

INLINE u16 socket_protocol(const struct sock *sk)
{
	u16 protocol = 0;

	core_read(&protocol, sk, sk_protocol);
	return protocol;
}

INLINE u32 namespace_of(const struct net *net)
{
	u32 inode = 0;

	core_read(&inode, net, ns.inum);
	return inode;
}

/* The addresses, as far as they are known now; ports stay what they were when they are gone. */
static NOINLINE int read_tuple(const struct sock *sk, struct network_tuple *tuple, u16 protocol)
{
	const struct inet_sock *inet = (const void *)sk;
	struct net *net = NULL;
	u16 port = 0, family = 0;
	u32 address = 0;

	core_read(&family, sk, __sk_common.skc_family);
	tuple->family = family;
	tuple->protocol = protocol;
	tuple->padding = 0;
	if (family == AF_INET) {
		core_read(&address, sk, __sk_common.skc_rcv_saddr);
		map_version_4(tuple->local, &address);
		core_read(&address, sk, __sk_common.skc_daddr);
		map_version_4(tuple->remote, &address);
	} else {
		core_read(&tuple->local, sk, __sk_common.skc_v6_rcv_saddr);
		core_read(&tuple->remote, sk, __sk_common.skc_v6_daddr);
	}
	core_read(&port, inet, inet_sport);
	if (port != 0)
		tuple->local_port = swap16(port);
	port = 0;
	core_read(&port, sk, __sk_common.skc_dport);
	if (port != 0)
		tuple->remote_port = swap16(port);
	core_read(&net, sk, __sk_common.skc_net.net);
	tuple->netns = namespace_of(net);
	return 0;
}

/* Payload: what was sent without what was sent again; a received FIN has a number, but no byte. */
static NOINLINE int read_figures(const struct sock *sk, struct network_figures *figures)
{
	const struct tcp_sock *tcp = (const void *)sk;
	u64 retransmitted = 0, flags = 0;

	core_read(&figures->sent, tcp, bytes_sent);
	core_read(&retransmitted, tcp, bytes_retrans);
	figures->sent -= retransmitted;
	core_read(&figures->received, tcp, bytes_received);
	core_read(&flags, sk, __sk_common.skc_flags);
	if (figures->received != 0 && (flags >> core_enum_value(enum sock_flags, SOCK_DONE) & 1))
		figures->received--;
	core_read(&figures->segments_out, tcp, segs_out);
	core_read(&figures->segments_in, tcp, segs_in);
	core_read(&figures->retransmits, tcp, total_retrans);
	figures->padding = 0;
	return 0;
}

static NOINLINE int read_health(const struct sock *sk, struct network_health *health)
{
	const struct inet_connection_sock *connection = (const void *)sk;
	const struct tcp_congestion_ops *algorithm = NULL;
	const struct tcp_sock *tcp = (const void *)sk;
	u32 head = 0, tail = 0;
	u8 byte = 0;

	core_read(&health->bytes_sent, tcp, bytes_sent);
	core_read(&health->bytes_acked, tcp, bytes_acked);
	core_read(&health->bytes_received, tcp, bytes_received);
	core_read(&health->bytes_retransmitted, tcp, bytes_retrans);
	core_read(&health->segments_out, tcp, segs_out);
	core_read(&health->segments_in, tcp, segs_in);
	core_read(&health->data_segments_out, tcp, data_segs_out);
	core_read(&health->data_segments_in, tcp, data_segs_in);
	core_read(&health->total_retransmits, tcp, total_retrans);
	core_read(&health->retransmits_out, tcp, retrans_out);
	core_read(&health->lost_out, tcp, lost_out);
	core_read(&health->sacked_out, tcp, sacked_out);
	core_read(&health->delivered, tcp, delivered);
	core_read(&health->delivered_ce, tcp, delivered_ce);
	core_read(&health->duplicate_sacks, tcp, dsack_dups);
	core_read(&health->reordering, tcp, reordering);
	core_read(&health->reordering_seen, tcp, reord_seen);
	core_read(&health->out_of_order, tcp, rcv_ooopack);
	core_read(&health->srtt_us_x8, tcp, srtt_us);
	core_read(&health->mean_deviation_us_x4, tcp, mdev_us);
	core_read(&health->minimum_rtt_us, tcp, rtt_min.s[0].v);
	core_read(&health->congestion_window, tcp, snd_cwnd);
	core_read(&health->slow_start_threshold, tcp, snd_ssthresh);
	core_read(&health->segment_size, tcp, mss_cache);
	core_read(&health->send_window, tcp, snd_wnd);
	core_read(&health->receive_window, tcp, rcv_wnd);
	core_read(&head, tcp, rcv_nxt);
	core_read(&tail, tcp, copied_seq);
	health->receive_queue = head - tail;
	core_read(&head, tcp, write_seq);
	core_read(&tail, tcp, snd_una);
	health->send_queue = head - tail;
	core_read(&health->chrono, tcp, chrono_stat);
	core_read(&health->chrono_start, tcp, chrono_start);
	/* Its upper bits belong to another field on some kernels. */
	core_read(&byte, tcp, chrono_type);
	health->chrono_type = byte & 3;
	health->jiffies = bpf_jiffies64();
	health->congestion_state = core_read_bits(connection, icsk_ca_state);
	byte = 0;
	core_read(&byte, connection, icsk_probes_out);
	health->zero_window_probes = byte;
	__builtin_memset(health->algorithm, 0, sizeof(health->algorithm));
	if (core_read(&algorithm, connection, icsk_ca_ops) == 0 && algorithm)
		core_read(&health->algorithm, algorithm, name);
	return 0;
}

INLINE void current_owner(struct network_owner *owner)
{
	u64 both = bpf_get_current_pid_tgid();

	owner->tgid = both >> 32;
	owner->tid = both;
	owner->cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(owner->command, sizeof(owner->command));
}

/* The span that the current thread is at work on; `link` is all 0 before. */
static NOINLINE int find_span(struct span_link *link, struct network_counters *counts)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();
	const struct task_struct *leader = NULL;
	const struct thread_context *place;
	u64 start = 0;
	int status;

	if (core_read(&leader, task, group_leader) != 0 ||
	    core_read(&start, leader, start_boottime) != 0)
		return 0;
	place = context_of(bpf_get_current_pid_tgid() >> 32, start, image_of(task));
	if (!place)
		return 0;
	status = read_span(place, link);
	if (status > 0)
		COUNT(counts->spans_found);
	else if (status < 0)
		COUNT(counts->spans_unreadable);
	return 0;
}

/* ---- Filters ---- */

static NOINLINE int address_wanted(const struct network_tuple *tuple, u32 flags, u32 netns)
{
	const u32 *words = (const void *)tuple->remote;
	bool version_4;
	u16 port;

	if ((flags & ~(NETWORK_EVENTS | NETWORK_CALL_EXITS)) == 0)
		return 1;
	version_4 = tuple->family == AF_INET ||
		    (words[0] == 0 && words[1] == 0 && words[2] == 0xffff0000);
	if (flags & (version_4 ? NETWORK_NO_VERSION_4 : NETWORK_NO_VERSION_6))
		return 0;
	if ((flags & NETWORK_NAMESPACE) && tuple->netns != netns)
		return 0;
	port = tuple->local_port;
	if ((flags & NETWORK_LOCAL_PORTS) && !bpf_map_lookup_elem(&local_ports, &port))
		return 0;
	port = tuple->remote_port;
	if ((flags & NETWORK_REMOTE_PORTS) && !bpf_map_lookup_elem(&remote_ports, &port))
		return 0;
	return 1;
}

/* With a filter for processes, a connection that no process ever used is nobody's. */
INLINE bool connection_wanted(const struct network_connection *connection,
			      const struct network_control *how)
{
	const struct process_filter *filter;
	u32 zero = 0;

	if (!address_wanted(&connection->tuple, how->flags, how->netns))
		return 0;
	filter = bpf_map_lookup_elem(&filter_control, &zero);
	return connection->owner.tgid != 0 || !filter || filter->flags == 0;
}

/* ---- Records ---- */

struct sending {
	u64 socket;
	u64 now;
	u32 what;
	u32 state;
	s32 error;
	u32 flags; /* network_control.flags */
};

static NOINLINE int fill(struct network_record *record, const struct network_connection *connection,
			 const struct sending *sending)
{
	const struct sock *sk = (const void *)sending->socket;

	record->kind = NETWORK_RECORD;
	record->what = sending->what;
	record->time = sending->now;
	record->socket = sending->socket;
	record->state = sending->state;
	record->error = sending->error;
	__builtin_memcpy(&record->connection, connection, sizeof(*connection));
	if (connection->flags & CONNECTION_HELD)
		__builtin_memcpy(&record->now, &connection->at_pause, sizeof(record->now));
	else
		read_figures(sk, &record->now);
	read_health(sk, &record->health);
	return 0;
}

/* Sends a record that user space must have: one that ends a connection. */
static NOINLINE int send_last(const struct network_connection *connection,
			      const struct sending *sending, struct network_counters *counts)
{
	struct network_record *record;
	struct network_figures figures;

	record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	if (record) {
		fill(record, connection, sending);
		bpf_ringbuf_submit(record, wake_flags(sending->flags));
		COUNT(counts->tcp_sent);
		return 0;
	}
	COUNT(counts->tcp_lost);
	if (connection->established != 0 || connection->role == NETWORK_ACCEPT) {
		if (connection->role == NETWORK_CONNECT)
			COUNT(counts->lost_connects);
		if (connection->role == NETWORK_ACCEPT)
			COUNT(counts->lost_accepts);
	}
	if (connection->flags & CONNECTION_HELD)
		__builtin_memcpy(&figures, &connection->at_pause, sizeof(figures));
	else
		read_figures((const void *)sending->socket, &figures);
	ADD(counts->lost_sent, figures.sent - connection->before.sent);
	ADD(counts->lost_received, figures.received - connection->before.received);
	ADD(counts->lost_retransmits,
	    (u64)(u32)(figures.retransmits - connection->before.retransmits));
	ADD(counts->lost_segments,
	    (u64)(u32)(figures.segments_out - connection->before.segments_out) +
		    (u32)(figures.segments_in - connection->before.segments_in));
	return 0;
}

/* Sends a record that only somebody who looks on wants. */
static NOINLINE int send_event(const struct network_connection *connection,
			       const struct sending *sending, struct network_counters *counts)
{
	struct network_record *record;

	COUNT(counts->extra_seen);
	record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	if (!record) {
		COUNT(counts->extra_lost);
		return 0;
	}
	fill(record, connection, sending);
	bpf_ringbuf_submit(record, 0);
	COUNT(counts->extra_sent);
	return 0;
}

#endif
