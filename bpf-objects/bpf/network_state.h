/* SPDX-License-Identifier: Apache-2.0 */
/* The maps of network_tracer.bpf.c, and what all of its programs use. */
#ifndef SWIFT_EBPF_NETWORK_STATE_H
#define SWIFT_EBPF_NETWORK_STATE_H

#include "economy.h"
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

/* User space writes the sockets that network_connections looks at, and a 0 after the last; the
 * program puts the rest of each record beside it. */
struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, NETWORK_VISITS);
	__type(key, u32);
	__type(value, struct network_record);
} visits SEC(".maps");

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

#endif
