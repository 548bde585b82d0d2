/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows every TCP connection from its first state change to its last, and counts datagrams by
 * socket. The contract with user space is in network_events.h.
 *
 * Each hook has variants, best first; user space loads those that the kernel accepts. Tested on
 * Linux 6.1, 6.12 and 6.18.
 *
 * What no program can see: a tracepoint's program does not run again on a CPU where it is running
 * already. The kernel counts those misses (recursion_misses); user space reports them as lost.
 */
#include "network_kernel.h"
#include "network_events.h"
#include "process_filter.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct network_control);
} control SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct network_counters);
} counters SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 32768);
	__type(key, u64);
	__type(value, struct network_connection);
} connections SEC(".maps");

struct socket_map {
	__uint(type, MAP_HASH);
	__uint(max_entries, 8192);
	__type(key, u64);
	__type(value, struct network_socket);
};

struct socket_map sockets_a SEC(".maps");
struct socket_map sockets_b SEC(".maps");

struct {
	__uint(type, MAP_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct socket_map);
} active_sockets SEC(".maps") = {
	.values = { &sockets_a },
};

/* Sockets whose failure was reported when their state changed: not again when connect returns. */
struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, u32);
} failed SEC(".maps");

struct port_map {
	__uint(type, MAP_HASH);
	__uint(max_entries, 1024);
	__type(key, u16);
	__type(value, u32);
};

struct port_map local_ports SEC(".maps");
struct port_map remote_ports SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4096);
	__type(key, struct network_drop_key);
	__type(value, struct network_drops);
} drop_reasons SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} events SEC(".maps");

/* For the iterator, which writes into a file: larger than a stack. */
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct network_record);
} walk_record SEC(".maps");

/* For new entries: larger than a stack. A program that is interrupted by another one on its CPU
 * would share it, so each kind of program has its own. */
enum scratch_user { SCRATCH_STATE, SCRATCH_EXIT, SCRATCH_WALK, SCRATCH_USERS };

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_USERS);
	__type(key, u32);
	__type(value, struct network_connection);
} scratch SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct network_socket);
} socket_scratch SEC(".maps");

/* Interrupts run programs too, and a plain addition that one of them splits would lose its own. */
#define ADD(counter, amount) ((void)__atomic_fetch_add(&(counter), (amount), __ATOMIC_RELAXED))
#define COUNT(counter) ADD(counter, 1)

INLINE struct network_counters *count(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

INLINE const struct network_control *settings(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

INLINE void note_first(struct network_counters *counts, u64 now)
{
	if (counts->first_event == 0)
		counts->first_event = now;
}

/* A reader sleeps until enough is there to be worth its while, unless somebody looks on. */
INLINE u64 wake_flags(u32 flags)
{
	if (flags & NETWORK_EVENTS)
		return 0;
	return bpf_ringbuf_query(&events, RING_AVAILABLE) >= bpf_ringbuf_query(&events, RING_SIZE) / 4
		       ? RING_FORCE_WAKEUP
		       : RING_NO_WAKEUP;
}

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

INLINE u64 cgroup_id(const struct cgroup *cgroup)
{
	const struct kernfs_node *node = NULL;
	u64 id = 0;

	if (core_read(&node, cgroup, kn) == 0 && node)
		core_read(&id, node, id);
	return id;
}

/* process_wanted for a task that is not the current one, whose owner record is filled. */
static NOINLINE int task_wanted(const struct task_struct *task, const struct network_owner *owner)
{
	const struct process_filter *filter;
	const struct task_struct *leader = NULL;
	const struct css_set *set = NULL;
	const struct cgroup *cgroup = NULL;
	struct filter_command command;
	u32 zero = 0, tgid = owner->tgid;
	bool found = 0;
	u64 id;

	filter = bpf_map_lookup_elem(&filter_control, &zero);
	if (!filter || (tgid != 0 && tgid == filter->excluded_tgid))
		return 0;
	if ((filter->flags & FILTER_PIDS) && !bpf_map_lookup_elem(&pid_filter, &tgid))
		return 0;
	if (filter->flags & FILTER_COMMANDS) {
		__builtin_memcpy(command.name, owner->command, sizeof(command.name));
		if (!bpf_map_lookup_elem(&command_filter, &command)) {
			if (core_read(&leader, task, group_leader) != 0 ||
			    core_read(&command.name, leader, comm) != 0)
				return 0;
			command.name[COMMAND_LENGTH - 1] = 0;
			if (!bpf_map_lookup_elem(&command_filter, &command))
				return 0;
		}
	}
	if (filter->flags & FILTER_CGROUPS) {
		if (core_read(&set, task, cgroups) != 0 || core_read(&cgroup, set, dfl_cgrp) != 0)
			return 0;
#pragma clang loop unroll(disable)
		for (int level = 0; level < CGROUP_LEVELS && cgroup; level++) {
			const struct cgroup_subsys_state *parent = NULL;

			id = cgroup_id(cgroup);
			if (bpf_map_lookup_elem(&cgroup_filter, &id)) {
				found = 1;
				break;
			}
			core_read(&parent, cgroup, self.parent);
			cgroup = NULL;
			if (parent)
				core_read(&cgroup, parent, cgroup);
		}
		if (!found)
			return 0;
	}
	return 1;
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

/* ---- accept(2) and connect(2) return: the process is certain ---- */

/* The TCP socket behind a descriptor of the current process; NULL for anything else. */
static NOINLINE u64 descriptor_socket(u32 descriptor)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();
	const struct files_struct *files = NULL;
	const struct fdtable *table = NULL;
	struct file **all = NULL, *file = NULL;
	const struct socket *socket = NULL;
	const struct sock *sk = NULL;
	u16 family = 0;
	u32 size = 0;

	if (core_read(&files, task, files) != 0 || core_read(&table, files, fdt) != 0 ||
	    core_read(&size, table, max_fds) != 0 || descriptor >= size ||
	    core_read(&all, table, fd) != 0 ||
	    bpf_probe_read_kernel(&file, sizeof(file), all + descriptor) != 0 || !file ||
	    core_read(&socket, file, private_data) != 0 || !socket ||
	    core_read(&sk, socket, sk) != 0 || !sk)
		return 0;
	core_read(&family, sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) || socket_protocol(sk) != PROTOCOL_TCP)
		return 0;
	return (u64)sk;
}

static NOINLINE int accept_returned(s64 result)
{
	const struct network_control *how = settings();
	struct network_counters *counts = count();
	struct network_connection *connection;
	struct sending sending;
	u64 socket;

	if (result < 0 || !how || !counts)
		return 0;
	socket = descriptor_socket(result);
	if (socket == 0)
		return 0;
	connection = bpf_map_lookup_elem(&connections, &socket);
	if (!connection || connection->role != NETWORK_ACCEPT || connection->accepted != 0)
		return 0;
	if (!owner_known(socket, connection, counts))
		return 0;
	sending.now = bpf_ktime_get_ns();
	connection->accepted = sending.now;
	if (!(how->flags & NETWORK_EVENTS) || how->paused ||
	    !address_wanted(&connection->tuple, how->flags, how->netns))
		return 0;
	sending.socket = socket;
	sending.what = RECORD_ACCEPTED;
	sending.state = STATE_ESTABLISHED;
	sending.error = 0;
	sending.flags = how->flags;
	return send_event(connection, &sending, counts);
}

/* Results of connect(2) that say that nothing was sent at all. */
INLINE bool failed_at_once(s64 result)
{
	return result == -ENETUNREACH || result == -EHOSTUNREACH || result == -EADDRNOTAVAIL ||
	       result == -ENETDOWN || result == -EACCES || result == -EPERM;
}

struct any_address {
	u16 family;
	u16 port;
	u32 version_4; /* of AF_INET; flow of AF_INET6 */
	u8 version_6[16];
};

static NOINLINE int connect_returned(s64 result, u32 descriptor, u64 user_address)
{
	const struct network_control *how = settings();
	struct network_counters *counts = count();
	struct network_connection *connection;
	struct any_address address = {};
	struct sending sending;
	u64 socket;

	if (result >= 0 || !how || !counts)
		return 0;
	socket = descriptor_socket(descriptor);
	if (socket == 0)
		return 0;
	sending.socket = socket;
	sending.now = bpf_ktime_get_ns();
	sending.what = RECORD_FAILED;
	sending.state = STATE_SYN_SENT;
	sending.error = -result;
	sending.flags = how->flags;
	connection = bpf_map_lookup_elem(&connections, &socket);
	if (connection) {
		connection->flags &= ~CONNECTION_IN_CALL;
		if (!(connection->flags & CONNECTION_DEFERRED))
			return 0;
		if (address_wanted(&connection->tuple, how->flags, how->netns))
			send_last(connection, &sending, counts);
		else
			COUNT(counts->tcp_dismissed);
		bpf_map_delete_elem(&connections, &socket);
		return 0;
	}
	if (bpf_map_delete_elem(&failed, &socket) == 0 || !failed_at_once(result))
		return 0;
	COUNT(counts->tcp_seen);
	if (how->paused || !process_wanted(bpf_get_current_pid_tgid() >> 32)) {
		COUNT(counts->tcp_unwanted);
		return 0;
	}
	connection = blank(SCRATCH_EXIT);
	if (!connection)
		return 0;
	connection->opened = sending.now;
	connection->role = NETWORK_CONNECT;
	current_owner(&connection->owner);
	read_tuple((const void *)socket, &connection->tuple, PROTOCOL_TCP);
	if (bpf_probe_read_user(&address, sizeof(address), (const void *)user_address) == 0 ||
	    bpf_probe_read_user(&address, 8, (const void *)user_address) == 0) {
		connection->tuple.remote_port = swap16(address.port);
		if (address.family == AF_INET)
			map_version_4(connection->tuple.remote, &address.version_4);
		else
			__builtin_memcpy(connection->tuple.remote, address.version_6, 16);
	}
	COUNT(counts->tcp_failed_at_once);
	note_first(counts, sending.now);
	if (address_wanted(&connection->tuple, how->flags, how->netns))
		send_last(connection, &sending, counts);
	else
		COUNT(counts->tcp_dismissed);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int network_accept4_exit(struct syscall_exit *context) { return accept_returned(context->result); }

SEC("tracepoint/syscalls/sys_exit_accept")
int network_accept_exit(struct syscall_exit *context) { return accept_returned(context->result); }

/* The first two arguments as they were at entry: no machine's kernel changes their registers. */
static NOINLINE int connect_arguments(s64 result, u64 registers)
{
	u64 descriptor = 0, address = 0;

	if (core_field_exists(((struct pt_regs___x86 *)0)->orig_ax)) {
		core_read(&descriptor, (const struct pt_regs___x86 *)registers, di);
		core_read(&address, (const struct pt_regs___x86 *)registers, si);
	} else if (core_field_exists(((struct pt_regs___arm64 *)0)->orig_x0)) {
		core_read(&descriptor, (const struct pt_regs___arm64 *)registers, orig_x0);
		core_read(&address, (const struct pt_regs___arm64 *)registers, regs[1]);
	}
	return connect_returned(result, descriptor, address);
}

SEC("tracepoint/syscalls/sys_exit_connect")
int network_connect_exit(struct syscall_exit *context)
{
	if (context->result >= 0)
		return 0;
	return connect_arguments(context->result,
				 (u64)bpf_task_pt_regs(bpf_get_current_task_btf()));
}

SEC("raw_tp/sys_exit")
int network_exit_raw(struct tracepoint_arguments *context)
{
	u64 registers = context->args[0], number = 0;
	s64 result = context->args[1];
	int call = 0;

	if (core_field_exists(((struct pt_regs___x86 *)0)->orig_ax)) {
		core_read(&number, (const struct pt_regs___x86 *)registers, orig_ax);
		if (number == 43 || number == 288)
			return accept_returned(result);
		if (number == 42 && result < 0)
			return connect_arguments(result, registers);
	} else if (core_field_exists(((struct pt_regs___arm64 *)0)->orig_x0)) {
		core_read(&call, (const struct pt_regs___arm64 *)registers, syscallno);
		if (call == 202 || call == 242)
			return accept_returned(result);
		if (call == 203 && result < 0)
			return connect_arguments(result, registers);
	}
	return 0;
}

/* ---- Connections that are there already, and what has become of those we follow ---- */

SEC("iter/task_file")
int network_existing(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	const struct network_control *how = settings();
	struct network_counters *counts = count();
	struct network_connection *connection;
	const struct css_set *set = NULL;
	const struct cgroup *cgroup = NULL;
	const struct socket *found;
	struct network_owner owner = {};
	const struct sock *sk = NULL;
	u64 socket;
	u16 family = 0;
	u8 state = 0;

	if (!task || !file || !how || !counts)
		return 0;
	found = bpf_sock_from_file(file);
	if (!found || core_read(&sk, found, sk) != 0 || !sk)
		return 0;
	core_read(&family, sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) || socket_protocol(sk) != PROTOCOL_TCP)
		return 0;
	core_read(&state, sk, __sk_common.skc_state);
	if (state == STATE_CLOSE || state == STATE_LISTEN || state == STATE_TIME_WAIT ||
	    state == STATE_NEW_SYN_RECV || state == 0)
		return 0;

	core_read(&owner.tgid, task, tgid);
	core_read(&owner.tid, task, pid);
	core_read(&owner.command, task, comm);
	if (core_read(&set, task, cgroups) == 0 && core_read(&cgroup, set, dfl_cgrp) == 0)
		owner.cgroup = cgroup_id(cgroup);

	socket = (u64)sk;
	connection = bpf_map_lookup_elem(&connections, &socket);
	if (connection) {
		if (connection->owner.tgid == 0) {
			if (task_wanted(task, &owner))
				connection->owner = owner;
			else if (bpf_map_delete_elem(&connections, &socket) == 0)
				COUNT(counts->tcp_dismissed);
		}
		return 0;
	}
	if (how->walk == WALK_OWNERS)
		return 0;
	COUNT(counts->tcp_seen);
	if (!task_wanted(task, &owner)) {
		COUNT(counts->tcp_unwanted);
		return 0;
	}
	connection = blank(SCRATCH_WALK);
	if (!connection)
		return 0;
	connection->opened = bpf_ktime_get_ns();
	connection->role = NETWORK_EXISTING;
	if (state != STATE_SYN_SENT)
		connection->established = connection->opened;
	connection->owner = owner;
	read_tuple(sk, &connection->tuple, PROTOCOL_TCP);
	read_figures(sk, &connection->before);
	connection->retransmits_seen = connection->before.retransmits;
	if (bpf_map_update_elem(&connections, &socket, connection, UPDATE_NOEXIST) == 0) {
		COUNT(counts->tcp_tracked);
		note_first(counts, connection->opened);
	} else if (bpf_map_lookup_elem(&connections, &socket)) {
		ADD(counts->tcp_seen, -1); /* its own state change was first */
	} else {
		COUNT(counts->tcp_full);
	}
	return 0;
}

SEC("iter/bpf_map_elem")
int network_connections(struct bpf_iter__bpf_map_elem *context)
{
	struct network_connection *connection = context->value;
	const struct network_control *how = settings();
	struct bpf_iter_meta *meta = context->meta;
	struct network_figures figures;
	struct network_record *record;
	const u64 *key = context->key;
	struct sending sending;
	const struct sock *sk;
	u32 zero = 0;
	u8 state = 0;

	if (!key || !connection || !how)
		return 0;
	sk = (const void *)*key;
	if (how->walk == WALK_PAUSE) {
		read_figures(sk, &connection->at_pause);
		connection->flags |= CONNECTION_HELD;
		return 0;
	}
	if (how->walk == WALK_RESUME) {
		if (!(connection->flags & CONNECTION_HELD))
			return 0;
		read_figures(sk, &figures);
		connection->before.sent += figures.sent - connection->at_pause.sent;
		connection->before.received += figures.received - connection->at_pause.received;
		connection->before.segments_out +=
			figures.segments_out - connection->at_pause.segments_out;
		connection->before.segments_in +=
			figures.segments_in - connection->at_pause.segments_in;
		connection->before.retransmits +=
			figures.retransmits - connection->at_pause.retransmits;
		connection->retransmits_seen = figures.retransmits;
		connection->flags &= ~CONNECTION_HELD;
		return 0;
	}
	record = bpf_map_lookup_elem(&walk_record, &zero);
	if (!record)
		return 0;
	core_read(&state, sk, __sk_common.skc_state);
	sending.socket = *key;
	sending.now = bpf_ktime_get_ns();
	sending.what = RECORD_ALIVE;
	sending.state = state;
	sending.error = 0;
	sending.flags = how->flags;
	read_tuple(sk, &connection->tuple, PROTOCOL_TCP);
	fill(record, connection, &sending);
	if (!connection_wanted(connection, how))
		record->what = RECORD_DISMISSED;
	bpf_seq_write(meta->seq, record, sizeof(*record));
	return 0;
}

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

/* ---- Children of followed processes ---- */

SEC("raw_tp/sched_process_fork")
int network_fork(struct tracepoint_arguments *context)
{
	struct network_counters *counts = count();

	if (!filter_follow_fork((const void *)context->args[0], (const void *)context->args[1]) &&
	    counts)
		COUNT(counts->follow_lost);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int network_exit(struct tracepoint_arguments *context)
{
	filter_forget_exit((const void *)context->args[0]);
	return 0;
}

LICENSE("GPL");
