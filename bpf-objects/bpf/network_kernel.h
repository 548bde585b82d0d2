/* SPDX-License-Identifier: Apache-2.0 */
/* The few kernel types and helpers that network_tracer.bpf.c uses; fields are found by name. */
#ifndef SWIFT_EBPF_NETWORK_KERNEL_H
#define SWIFT_EBPF_NETWORK_KERNEL_H

#include "helpers.h"

HELPER(u64, bpf_get_socket_cookie, 46, const void *socket);
HELPER(u64, bpf_jiffies64, 118, void);
HELPER(void *, bpf_sock_from_file, 162, void *file);

#define AF_INET 2
#define AF_INET6 10
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_UDPLITE 136
#define MSG_PEEK 2
#define EPERM 1
#define EAGAIN 11
#define EACCES 13
#define EEXIST 17
#define EADDRNOTAVAIL 99
#define ENETDOWN 100
#define ENETUNREACH 101
#define EHOSTUNREACH 113
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define PORT_DNS 53

enum tcp_state {
	STATE_ESTABLISHED = 1,
	STATE_SYN_SENT = 2,
	STATE_SYN_RECV = 3,
	STATE_FIN_WAIT1 = 4,
	STATE_TIME_WAIT = 6,
	STATE_CLOSE = 7,
	STATE_LAST_ACK = 9,
	STATE_LISTEN = 10,
	STATE_NEW_SYN_RECV = 12,
};

enum congestion_state {
	CONGESTION_RECOVERY = 3,
	CONGESTION_LOSS = 4,
};

struct ns_common {
	unsigned int inum;
} CORE;

struct net {
	struct ns_common ns;
} CORE;

struct in6_addr {
	u8 bytes[16];
};

struct possible_net {
	struct net *net;
} CORE;

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	volatile unsigned char skc_state;
	struct possible_net skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long long skc_flags;
} CORE;

enum sock_flags {
	SOCK_DONE = 1, /* a FIN was received */
};

struct sock {
	struct sock_common __sk_common;
	u16 sk_protocol;
	int sk_err;
} CORE;

struct inet_sock {
	u16 inet_sport;
} CORE;

struct tcp_congestion_ops {
	char name[16];
} CORE;

struct inet_connection_sock {
	const struct tcp_congestion_ops *icsk_ca_ops;
	u8 icsk_ca_state : 5;
	u8 icsk_probes_out;
} CORE;

struct minmax_sample {
	u32 t;
	u32 v;
} CORE;

struct minmax {
	struct minmax_sample s[3];
} CORE;

struct tcp_sock {
	u64 bytes_sent;
	u64 bytes_acked;
	u64 bytes_received;
	u64 bytes_retrans;
	u32 segs_out;
	u32 segs_in;
	u32 data_segs_out;
	u32 data_segs_in;
	u32 total_retrans;
	u32 retrans_out;
	u32 lost_out;
	u32 sacked_out;
	u32 delivered;
	u32 delivered_ce;
	u32 dsack_dups;
	u32 reordering;
	u32 reord_seen;
	u32 rcv_ooopack;
	u32 srtt_us;
	u32 mdev_us;
	struct minmax rtt_min;
	u32 snd_cwnd;
	u32 snd_ssthresh;
	u32 mss_cache;
	u32 snd_wnd;
	u32 rcv_wnd;
	u32 rcv_nxt;
	u32 copied_seq;
	u32 write_seq;
	u32 snd_una;
	u32 chrono_stat[3];
	u32 chrono_start;
	u8 chrono_type;
} CORE;

struct file {
	void *private_data;
} CORE;

struct socket {
	struct sock *sk;
} CORE;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} CORE;

struct files_struct {
	struct fdtable *fdt;
} CORE;

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *group_leader;
	u64 start_boottime;
	struct files_struct *files;
	char comm[16];
} CORE;

struct net_device {
	struct possible_net nd_net;
} CORE;

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned int len;
	unsigned int data_len;
	u16 protocol;
	u16 network_header;
	unsigned char *head;
	unsigned char *data;
} CORE;

struct seq_file;

struct bpf_iter__task_file {
	void *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
} CORE;

/* The user's registers at a system call, on the machines that the tracers run on. */
struct pt_regs___x86 {
	unsigned long long orig_ax;
	unsigned long long di;
	unsigned long long si;
} CORE;

struct pt_regs___arm64 {
	unsigned long long regs[31];
	unsigned long long orig_x0;
	int syscallno;
} CORE;

/* A raw or BTF tracepoint's arguments, one 64-bit word each. */
struct tracepoint_arguments {
	u64 args[4];
};

/* syscalls:sys_exit_*: a stable layout (tracefs .../format). */
struct syscall_exit {
	u64 common;
	int number;
	int padding;
	s64 result;
};

#endif
