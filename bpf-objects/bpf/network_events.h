/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between network_tracer.bpf.c and user space: every map's key and value, every record
 * of the ring and of the visits. Fixed-width fields, no hidden padding, host byte order; process
 * ids are those of the initial pid namespace, times are CLOCK_MONOTONIC nanoseconds.
 *
 *   map               type             key                      value
 *   control           array            u32 (0)                  struct network_control
 *   counters          per-CPU array    u32 (0)                  struct network_counters
 *   connections       hash             u64 socket               struct network_connection
 *   active_sockets    array of maps    u32 (0)                  the datagram map in use
 *   sockets_a, _b     hash             u64 socket               struct network_socket
 *   failed            LRU hash         u64 socket               u32 (1), private to the programs
 *   datagram_calls    hash             struct datagram_call     u64 socket, private to the programs
 *   local_ports       hash             u16 port                 u32 (1)
 *   remote_ports      hash             u16 port                 u32 (1)
 *   drop_reasons      hash             struct network_drop_key  struct network_drops
 *   events            ring buffer      -                        struct network_record, _packet
 *   and the maps of process_filter.h, thread_context.h and economy.h: datagrams and drops are sampled,
 *   connections and DNS messages are not
 *
 * A TCP socket enters `connections` when it connects, when its handshake ends on the accepting
 * side, or, for those that were there before, when `network_existing` walks over all open files. It
 * leaves, as a record through the ring, when its state becomes CLOSE. All figures are the kernel's
 * own, read from the socket: nothing runs for a segment that is not sent again.
 *
 * Datagram sockets are counted call by call in the active map. To drain exactly: put the other map
 * into active_sockets[0]; the update returns after the last program that could still see the old one
 * has ended.
 */
#ifndef SWIFT_EBPF_NETWORK_EVENTS_H
#define SWIFT_EBPF_NETWORK_EVENTS_H

#include "span_link.h"

#define NETWORK_COMMAND_LENGTH 16
#define NETWORK_ALGORITHM_LENGTH 16
/* Bytes of a DNS message that are sent to user space: what a resolver takes without EDNS. */
#define NETWORK_PACKET_LENGTH 512

enum network_flag_bits {
	NETWORK_EVENTS = 1 << 0,        /* send a record at connect, accept and retransmission too */
	NETWORK_CALL_EXITS = 1 << 1,    /* network_connect_exit runs: failures may wait for it */
	NETWORK_LOCAL_PORTS = 1 << 2,   /* only ports in local_ports */
	NETWORK_REMOTE_PORTS = 1 << 3,  /* only ports in remote_ports */
	NETWORK_NAMESPACE = 1 << 4,     /* only this network namespace */
	NETWORK_NO_VERSION_4 = 1 << 5,  /* no IPv4, also when mapped into IPv6 */
	NETWORK_NO_VERSION_6 = 1 << 6,
};

/* Written by user space at any time. */
struct network_control {
	u32 paused; /* other than 0: record nothing */
	u32 flags;  /* enum network_flag_bits */
	u32 netns;  /* inode of the network namespace, with NETWORK_NAMESPACE */
	u32 walk;   /* what network_connections does to each: enum network_walk */
};

enum network_walk {
	WALK_REPORT = 0, /* fill its record */
	WALK_PAUSE = 1,  /* remember its figures */
	WALK_RESUME = 2, /* leave out what happened since then */
	WALK_OWNERS = 3, /* network_existing adds nothing, but says who owns what nobody owned */
};

/* Both addresses as IPv6; IPv4 mapped into it. An unknown address is all zero. */
struct network_tuple {
	u8 local[16];
	u8 remote[16];
	u16 local_port;
	u16 remote_port;
	u16 family; /* the socket's: 2 or 10 */
	u16 protocol;
	u32 netns; /* inode of the network namespace */
	u32 padding;
};

struct network_owner {
	u64 cgroup;
	u32 tgid; /* 0: not known */
	u32 tid;
	char command[NETWORK_COMMAND_LENGTH];
};

/* What is counted for a connection; payload without retransmissions. */
struct network_figures {
	u64 sent;
	u64 received;
	u32 segments_out;
	u32 segments_in;
	u32 retransmits; /* segments */
	u32 padding;
};

enum network_role {
	NETWORK_CONNECT = 1,  /* this side connected */
	NETWORK_ACCEPT = 2,   /* this side was connected to */
	NETWORK_EXISTING = 3, /* was there before: nobody saw which */
};

enum network_connection_bits {
	CONNECTION_HELD = 1 << 0,     /* figures up to a pause are in at_pause */
	CONNECTION_IN_CALL = 1 << 1,  /* connect(2) has not returned yet */
	CONNECTION_DEFERRED = 1 << 2, /* failed inside connect(2), whose result is the error */
};

struct network_connection {
	u64 opened;      /* connect began, or the handshake ended; first seen for existing ones */
	u64 established; /* 0: never */
	u64 accepted;    /* accept(2) returned it; 0: not seen */
	struct network_owner owner;
	struct network_tuple tuple;
	struct network_figures before;   /* not recorded: before the start, and while paused */
	struct network_figures at_pause; /* with CONNECTION_HELD */
	u32 role;                        /* enum network_role */
	u32 flags;                       /* enum network_connection_bits */
	u32 handshake_us;     /* accepting side: SYN-ACK to ACK; 0: not measured */
	u32 retransmits_seen; /* the socket's count when it was last looked at */
	u32 after_timeout;    /* retransmitted segments: the timer ran out */
	u32 in_recovery;      /* fast retransmission */
	u32 as_probe;         /* tail loss probe, or before loss was certain */
	u32 resets_sent;
	u32 resets_received;
	u32 padding;
	struct span_link span; /* what the thread that connected was at work on; all 0: unknown, or none */
};

/* The socket's own account of the path, as TCP_INFO gives it but in the kernel's raw units. */
struct network_health {
	u64 bytes_sent; /* with retransmissions */
	u64 bytes_acked;
	u64 bytes_received;
	u64 bytes_retransmitted;
	u32 segments_out;
	u32 segments_in;
	u32 data_segments_out;
	u32 data_segments_in;
	u32 total_retransmits;
	u32 retransmits_out; /* in flight */
	u32 lost_out;        /* believed lost */
	u32 sacked_out;
	u32 delivered;
	u32 delivered_ce;
	u32 duplicate_sacks;
	u32 reordering;
	u32 reordering_seen;
	u32 out_of_order; /* segments received out of order */
	u32 srtt_us_x8;
	u32 mean_deviation_us_x4;
	u32 minimum_rtt_us;
	u32 congestion_window;
	u32 slow_start_threshold;
	u32 segment_size;
	u32 send_window;    /* what the peer takes; 0: zero window */
	u32 receive_window; /* what we offered last */
	u32 receive_queue;
	u32 send_queue;
	u32 chrono[3]; /* jiffies: busy, limited by the peer's window, by our buffer */
	u32 chrono_start;
	u32 chrono_type;
	u32 jiffies;
	u32 congestion_state; /* enum tcp_ca_state */
	u32 zero_window_probes; /* sent and not answered */
	char algorithm[NETWORK_ALGORITHM_LENGTH];
};

enum network_event_kind {
	NETWORK_RECORD = 1,
	NETWORK_PACKET = 2,
};

enum network_record_kind {
	RECORD_CLOSED = 1,
	RECORD_FAILED = 2,    /* never established */
	RECORD_ALIVE = 3,     /* looked at by network_connections */
	RECORD_CONNECTED = 4, /* these three only with NETWORK_EVENTS */
	RECORD_ACCEPTED = 5,
	RECORD_RETRANSMITTED = 6,
	RECORD_DISMISSED = 7, /* looked at, too: alive and not wanted */
	RECORD_GONE = 8,      /* looked for: no longer in the table, or not asked for a record */
};

/* How many connections one run of network_connections looks at. */
#define NETWORK_VISITS 128

struct network_record {
	u32 kind; /* NETWORK_RECORD */
	u32 what; /* enum network_record_kind */
	u64 time;
	u64 socket;
	u32 state; /* the kernel's TCP state, before a close */
	s32 error; /* errno of a failure or of a reset; 0: none */
	struct network_connection connection;
	struct network_figures now;
	struct network_health health;
};

/* Messages are calls; one call with UDP_SEGMENT is one message of many datagrams. */
struct network_socket {
	u64 first;
	u64 last;
	struct network_owner owner; /* of the first call */
	struct network_tuple tuple; /* of the first call; the remote end only when connected */
	u64 sent_messages;
	u64 sent_bytes;
	u64 received_messages;
	u64 received_bytes;
	u64 send_errors;
	u64 receive_errors;
};

enum network_packet_direction {
	PACKET_QUERY = 1,    /* sent by a socket here to port 53 */
	PACKET_RESPONSE = 2, /* received from port 53 */
};

/* One DNS message; the record ends after `captured` bytes. */
struct network_packet {
	u32 kind; /* NETWORK_PACKET */
	u32 direction;
	u64 time;
	struct network_owner owner; /* of a query */
	struct network_tuple tuple; /* local is the side that asked */
	struct span_link span;      /* of a query: what the thread was at work on */
	u32 length;                 /* of the message */
	u32 captured;
	u8 data[NETWORK_PACKET_LENGTH];
};

/* No map has it as its value, so it is not in the object's BTF. */
_Static_assert(__builtin_offsetof(struct network_packet, captured) == 124, "captured");
_Static_assert(__builtin_offsetof(struct network_packet, data) == 128, "data");

struct network_drop_key {
	u64 location; /* where in the kernel */
	u32 reason;   /* enum skb_drop_reason of this kernel; subsystems from bit 16 */
	u32 protocol; /* ethertype */
};

struct network_drops {
	u64 packets;
	u64 bytes;
};

/*
 * Summed over CPUs:
 *   tcp_seen  = tcp_tracked + tcp_full + tcp_unwanted + tcp_failed_at_once
 *   tcp_tracked + tcp_failed_at_once = tcp_sent + tcp_lost + tcp_dismissed + tcp_overwritten + those
 *                                      still in `connections`
 *   udp_seen  = udp_recorded + udp_full + udp_unwanted + udp_sampled_out
 *   dns_seen  = dns_sent + dns_lost + dns_unwanted
 *   drop_seen = drop_recorded + drop_full + drop_unwanted + drop_sampled_out
 *   extra_seen = extra_sent + extra_lost
 */
struct network_counters {
	u64 first_event;        /* CLOCK_MONOTONIC ns of the first one recorded on this CPU */
	u64 tcp_seen;           /* connections */
	u64 tcp_tracked;        /* entered `connections` */
	u64 tcp_full;           /* no room there: lost */
	u64 tcp_unwanted;       /* filtered by process, or paused */
	u64 tcp_failed_at_once; /* connect(2) failed before anything was sent */
	u64 tcp_sent;           /* record written to the ring */
	u64 tcp_lost;           /* ring full: only counted below */
	u64 tcp_dismissed;      /* turned out to be filtered: by address, or by its late known owner */
	u64 tcp_overwritten;    /* its end was missed, another socket has its address now: lost */
	u64 lost_sent;          /* figures of the tcp_lost ones */
	u64 lost_received;
	u64 lost_retransmits;
	u64 lost_segments;
	u64 lost_connects; /* established ones of the tcp_lost */
	u64 lost_accepts;
	u64 udp_seen; /* messages */
	u64 udp_recorded;
	u64 udp_full;
	u64 udp_unwanted;
	u64 udp_full_bytes_sent; /* of udp_full */
	u64 udp_full_bytes_received;
	u64 udp_sockets; /* entries made in the datagram maps */
	u64 dns_seen;
	u64 dns_sent;
	u64 dns_lost;
	u64 dns_unwanted;
	u64 drop_seen;
	u64 drop_recorded;
	u64 drop_full;
	u64 drop_unwanted;
	u64 extra_seen; /* records that only NETWORK_EVENTS asks for */
	u64 extra_sent;
	u64 extra_lost;
	u64 synack_retransmits; /* by listeners */
	u64 resets_sent;        /* all, also without a connection */
	u64 resets_received;
	u64 udp_sampled_out; /* wanted, but not picked: economy.h */
	u64 drop_sampled_out;
	u64 spans_found;      /* connections and queries with the span of their thread */
	u64 spans_unreadable; /* those whose thread's context could not be read */
};

#endif
