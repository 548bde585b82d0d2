/* SPDX-License-Identifier: Apache-2.0 */
/* Where accept(2) and connect(2) return, and where connections are looked at from outside. */
#ifndef SWIFT_EBPF_NETWORK_CALLS_H
#define SWIFT_EBPF_NETWORK_CALLS_H

#include "network_connection.h"

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
	if (threads_tell())
		find_span(&connection->span, counts);
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
	owner.cgroup = cgroup_id(cgroup_of(task));

	socket = (u64)sk;
	connection = bpf_map_lookup_elem(&connections, &socket);
	if (connection) {
		if (connection->owner.tgid == 0) {
			if (task_wanted(task))
				connection->owner = owner;
			else if (bpf_map_delete_elem(&connections, &socket) == 0)
				COUNT(counts->tcp_dismissed);
		}
		return 0;
	}
	if (how->walk == WALK_OWNERS)
		return 0;
	COUNT(counts->tcp_seen);
	if (!task_wanted(task)) {
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

/* Looks at the connection of one visit; 0 after the last one. Global, to be verified once. */
NOINLINE int visit_connection(u32 index)
{
	const struct network_control *how = settings();
	struct network_connection *connection;
	struct network_figures figures;
	struct network_record *record;
	struct sending sending;
	const struct sock *sk;
	u64 socket;
	u8 state = 0;

	record = bpf_map_lookup_elem(&visits, &index);
	if (!record || !how || record->socket == 0)
		return 0;
	socket = record->socket;
	record->what = RECORD_GONE;
	connection = bpf_map_lookup_elem(&connections, &socket);
	if (!connection)
		return 1;
	sk = (const void *)socket;
	if (how->walk == WALK_PAUSE) {
		read_figures(sk, &connection->at_pause);
		connection->flags |= CONNECTION_HELD;
		return 1;
	}
	if (how->walk == WALK_RESUME) {
		if (!(connection->flags & CONNECTION_HELD))
			return 1;
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
		return 1;
	}
	core_read(&state, sk, __sk_common.skc_state);
	sending.socket = socket;
	sending.now = bpf_ktime_get_ns();
	sending.what = RECORD_ALIVE;
	sending.state = state;
	sending.error = 0;
	sending.flags = how->flags;
	read_tuple(sk, &connection->tuple, PROTOCOL_TCP);
	fill(record, connection, &sending);
	if (!connection_wanted(connection, how))
		record->what = RECORD_DISMISSED;
	return 1;
}

#define VISITS_AT_ONCE 16

/* A loop for the verifier to walk once, in another that is as short. */
NOINLINE int visit_connections(u32 first)
{
	for (u32 index = 0; index < VISITS_AT_ONCE; index++)
		if (!visit_connection(first + index))
			return 0;
	return 1;
}

/* Run by user space (BPF_PROG_TEST_RUN, for raw tracepoints since Linux 5.10), never attached. An
 * iterator over the map would need no list of sockets, but kernels exist whose policy refuses the
 * iterators that may write (bpf_map_elem, bpf_sk_storage_map). */
SEC("raw_tp")
int network_connections(void *context)
{
	for (u32 index = 0; index < NETWORK_VISITS; index += VISITS_AT_ONCE)
		if (!visit_connections(index))
			break;
	return 0;
}

#endif
