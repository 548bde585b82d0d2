/* SPDX-License-Identifier: Apache-2.0 */
/* From the first state change of a connection to its last: tp_btf or raw_tp. */
#ifndef SWIFT_EBPF_NETWORK_CONNECTION_H
#define SWIFT_EBPF_NETWORK_CONNECTION_H

#include "network_socket.h"

/* ---- The life of a connection ---- */

INLINE struct network_connection *blank(u32 user)
{
	struct network_connection *connection = bpf_map_lookup_elem(&scratch, &user);

	if (connection)
		__builtin_memset(connection, 0, sizeof(*connection));
	return connection;
}

/* Puts a new connection into the table. An old one with its address ended unseen. */
static NOINLINE int insert(u64 socket, const struct network_connection *connection,
			   struct network_counters *counts)
{
	long status = bpf_map_update_elem(&connections, &socket, connection, UPDATE_NOEXIST);

	if (status == -EEXIST) {
		COUNT(counts->tcp_overwritten);
		status = bpf_map_update_elem(&connections, &socket, connection, UPDATE_ANY);
	}
	if (status != 0) {
		COUNT(counts->tcp_full);
		return 0;
	}
	COUNT(counts->tcp_tracked);
	note_first(counts, connection->opened);
	return 1;
}

/* connect(2) begins: in the process that calls it. */
static NOINLINE int connect_began(const struct sock *sk, const struct network_control *how, u64 now,
				  struct network_counters *counts)
{
	struct network_connection *connection;

	COUNT(counts->tcp_seen);
	if (how->paused || !process_wanted(bpf_get_current_pid_tgid() >> 32)) {
		COUNT(counts->tcp_unwanted);
		return 0;
	}
	connection = blank(SCRATCH_STATE);
	if (!connection)
		return 0; /* an array: cannot happen */
	connection->opened = now;
	connection->role = NETWORK_CONNECT;
	if (how->flags & NETWORK_CALL_EXITS)
		connection->flags = CONNECTION_IN_CALL;
	current_owner(&connection->owner);
	if (threads_tell())
		find_span(&connection->span, counts);
	read_tuple(sk, &connection->tuple, PROTOCOL_TCP);
	insert((u64)sk, connection, counts);
	return 0;
}

/* The handshake of an incoming connection ends: in an interrupt, whoever is running. */
static NOINLINE int accept_began(const struct sock *sk, const struct network_control *how, u64 now,
				 struct network_counters *counts)
{
	const struct tcp_sock *tcp = (const void *)sk;
	struct network_connection *connection;
	u32 rtt = 0;

	COUNT(counts->tcp_seen);
	if (how->paused) {
		COUNT(counts->tcp_unwanted);
		return 0;
	}
	connection = blank(SCRATCH_STATE);
	if (!connection)
		return 0;
	connection->opened = now;
	connection->established = now;
	connection->role = NETWORK_ACCEPT;
	/* The only round trip so far is the handshake's. */
	core_read(&rtt, tcp, srtt_us);
	connection->handshake_us = rtt >> 3;
	core_read(&connection->retransmits_seen, tcp, total_retrans);
	read_tuple(sk, &connection->tuple, PROTOCOL_TCP);
	insert((u64)sk, connection, counts);
	return 0;
}

/* Retransmitted segments since the last look belong to the cause that shows now. */
static NOINLINE int note_retransmits(const struct sock *sk, struct network_connection *connection)
{
	const struct inet_connection_sock *inet_connection = (const void *)sk;
	const struct tcp_sock *tcp = (const void *)sk;
	u32 total = connection->retransmits_seen, more;

	core_read(&total, tcp, total_retrans);
	more = total - connection->retransmits_seen;
	if (more == 0)
		return 0;
	connection->retransmits_seen = total;
	switch (core_read_bits(inet_connection, icsk_ca_state)) {
	case CONGESTION_LOSS:
		connection->after_timeout += more;
		break;
	case CONGESTION_RECOVERY:
		connection->in_recovery += more;
		break;
	default:
		connection->as_probe += more;
		break;
	}
	return more;
}

/* Nobody's connection until somebody uses it: does the filter want that process? */
static NOINLINE int owner_known(u64 socket, struct network_connection *connection,
				struct network_counters *counts)
{
	if (connection->owner.tgid != 0)
		return 1;
	if (!process_wanted(bpf_get_current_pid_tgid() >> 32)) {
		if (bpf_map_delete_elem(&connections, &socket) == 0)
			COUNT(counts->tcp_dismissed);
		return 0;
	}
	current_owner(&connection->owner);
	return 1;
}

static NOINLINE int closed(const struct sock *sk, struct network_connection *connection,
			   struct sending *sending, struct network_counters *counts)
{
	const struct network_control *how = settings();
	u64 socket = (u64)sk;
	int error = 0;
	u32 one = 1;

	core_read(&error, sk, sk_err);
	if (!how)
		return 0;
	if (connection->established == 0 && connection->role == NETWORK_CONNECT) {
		if (error == 0 && (connection->flags & CONNECTION_IN_CALL) &&
		    connection->owner.tid == (u32)bpf_get_current_pid_tgid()) {
			/* Fails without a word from outside: the reason is what connect(2) returns. */
			connection->flags &= ~CONNECTION_IN_CALL;
			connection->flags |= CONNECTION_DEFERRED;
			read_tuple(sk, &connection->tuple, PROTOCOL_TCP);
			return 0;
		}
		bpf_map_update_elem(&failed, &socket, &one, UPDATE_ANY);
		sending->what = RECORD_FAILED;
	}
	sending->error = error;
	read_tuple(sk, &connection->tuple, PROTOCOL_TCP);
	note_retransmits(sk, connection);
	if (connection_wanted(connection, how))
		send_last(connection, sending, counts);
	else
		COUNT(counts->tcp_dismissed);
	bpf_map_delete_elem(&connections, &socket);
	return 0;
}

static NOINLINE int state_changed(const struct sock *sk, int old_state, int new_state)
{
	const struct network_control *how = settings();
	struct network_counters *counts = count();
	struct network_connection *connection;
	struct sending sending;
	u64 socket = (u64)sk;
	u64 now;

	if (!how || !counts)
		return 0; /* arrays: cannot happen */
	if (socket_protocol(sk) != PROTOCOL_TCP)
		return 0;
	now = bpf_ktime_get_ns();
	if (new_state == STATE_SYN_SENT)
		return connect_began(sk, how, now, counts);

	connection = bpf_map_lookup_elem(&connections, &socket);
	if (!connection || (old_state == STATE_SYN_RECV && connection->established != 0)) {
		if (old_state == STATE_SYN_RECV && new_state == STATE_ESTABLISHED)
			accept_began(sk, how, now, counts);
		if (!(how->flags & NETWORK_EVENTS))
			return 0;
		connection = bpf_map_lookup_elem(&connections, &socket);
		if (!connection)
			return 0;
	}
	sending.socket = socket;
	sending.now = now;
	sending.state = old_state;
	sending.error = 0;
	sending.flags = how->flags;
	switch (new_state) {
	case STATE_ESTABLISHED:
		if (connection->role == NETWORK_CONNECT && connection->established == 0) {
			connection->established = now;
			read_tuple(sk, &connection->tuple, PROTOCOL_TCP);
			sending.what = RECORD_CONNECTED;
			if ((how->flags & NETWORK_EVENTS) && !how->paused &&
			    address_wanted(&connection->tuple, how->flags, how->netns))
				send_event(connection, &sending, counts);
		}
		return 0;
	case STATE_FIN_WAIT1:
	case STATE_LAST_ACK:
		/* Only close and shutdown lead here: the process is the one that has the socket. */
		owner_known(socket, connection, counts);
		return 0;
	case STATE_CLOSE:
		sending.what = RECORD_CLOSED;
		return closed(sk, connection, &sending, counts);
	}
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int network_state_btf(struct tracepoint_arguments *context)
{
	return state_changed((const void *)context->args[0], context->args[1], context->args[2]);
}

SEC("raw_tp/inet_sock_set_state")
int network_state_raw(struct tracepoint_arguments *context)
{
	return state_changed((const void *)context->args[0], context->args[1], context->args[2]);
}

/* ---- Retransmissions and resets: rare ---- */

static NOINLINE int retransmitted(const struct sock *sk)
{
	const struct network_control *how = settings();
	struct network_counters *counts = count();
	struct network_connection *connection;
	struct sending sending;
	u64 socket = (u64)sk;
	u8 state = 0;

	if (!how || !counts || how->paused)
		return 0;
	connection = bpf_map_lookup_elem(&connections, &socket);
	if (!connection || note_retransmits(sk, connection) == 0)
		return 0;
	if (!(how->flags & NETWORK_EVENTS) ||
	    !address_wanted(&connection->tuple, how->flags, how->netns))
		return 0;
	core_read(&state, sk, __sk_common.skc_state);
	if (connection->established == 0)
		read_tuple(sk, &connection->tuple, PROTOCOL_TCP);
	sending.socket = socket;
	sending.now = bpf_ktime_get_ns();
	sending.what = RECORD_RETRANSMITTED;
	sending.state = state;
	sending.error = 0;
	sending.flags = how->flags;
	return send_event(connection, &sending, counts);
}

SEC("tp_btf/tcp_retransmit_skb")
int network_retransmit_btf(struct tracepoint_arguments *context)
{
	return retransmitted((const void *)context->args[0]);
}

SEC("raw_tp/tcp_retransmit_skb")
int network_retransmit_raw(struct tracepoint_arguments *context)
{
	return retransmitted((const void *)context->args[0]);
}

static NOINLINE int synack_retransmitted(void)
{
	const struct network_control *how = settings();
	struct network_counters *counts = count();

	if (how && counts && !how->paused)
		COUNT(counts->synack_retransmits);
	return 0;
}

SEC("tp_btf/tcp_retransmit_synack")
int network_synack_btf(struct tracepoint_arguments *context) { return synack_retransmitted(); }

SEC("raw_tp/tcp_retransmit_synack")
int network_synack_raw(struct tracepoint_arguments *context) { return synack_retransmitted(); }

static NOINLINE int reset(u64 socket, bool sent)
{
	const struct network_control *how = settings();
	struct network_counters *counts = count();
	struct network_connection *connection;

	if (!how || !counts || how->paused)
		return 0;
	if (sent)
		COUNT(counts->resets_sent);
	else
		COUNT(counts->resets_received);
	connection = bpf_map_lookup_elem(&connections, &socket);
	if (!connection)
		return 0;
	if (sent)
		connection->resets_sent++;
	else
		connection->resets_received++;
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int network_reset_sent_btf(struct tracepoint_arguments *context)
{
	return reset(context->args[0], 1);
}

SEC("raw_tp/tcp_send_reset")
int network_reset_sent_raw(struct tracepoint_arguments *context)
{
	return reset(context->args[0], 1);
}

SEC("tp_btf/tcp_receive_reset")
int network_reset_received_btf(struct tracepoint_arguments *context)
{
	return reset(context->args[0], 0);
}

SEC("raw_tp/tcp_receive_reset")
int network_reset_received_raw(struct tracepoint_arguments *context)
{
	return reset(context->args[0], 0);
}

#endif
