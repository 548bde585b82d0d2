/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What syscall_tracer.bpf.c and user space (Sources/EBPFTracers/Syscalls) agree on.
 *
 *   map          type            key                    value
 *   control      array, mmap     u32 (0)                struct syscall_control
 *   rules        array, mmap     u32 slot               struct call_rule
 *   errnos       array, mmap     u32 errno / 64         u64, one bit for each errno
 *   totals       per-CPU array   u32 slot               struct call_totals
 *   matrix       hash            struct matrix_key      struct matrix_value
 *   histograms   hash            struct histogram_key   struct key_histogram
 *   processes    hash            u64 process identity   struct process_name
 *   counters     per-CPU array   u32 (0)                struct syscall_counters
 *   events       ring buffer     struct syscall_event, then texts and the stack
 *   and the maps of process_filter.h, economy.h and thread_context.h
 *
 * Every enter is one of: paused, excluded, filtered, sampled_out, thread_lost (all in struct
 * syscall_counters), or in call_totals.enters. Of those, a return is in call_totals.returns (and in `matrix`), or in
 * call_totals.rejected when a filter on results left it out; what did neither had not returned, or
 * never will. `lost` counts the calls that miss from `matrix` or from `events`, each once.
 *
 * With SYSCALLS_EVENTS every return in call_totals.returns, and every call that never returns, is one
 * of: events_sent, events_lost, events_spared, events_unwanted.
 *
 * A call that was picked as one of n counts n times in call_totals, `matrix` and `histograms`; what
 * such calls counted beyond themselves is in enters_added, returns_added and rejected_added.
 *
 * Latencies: bucket 0 is below 64 ns; then four buckets for each power of two, 64 ns to 2^38 ns
 * (275 s), so that a bucket's width is at most a quarter of its lower bound; the last is beyond.
 * The histograms of `histograms` have one bucket for each power of two.
 */
#ifndef SWIFT_EBPF_SYSCALL_EVENTS_H
#define SWIFT_EBPF_SYSCALL_EVENTS_H

#include "helpers.h"
#include "process_filter.h"
#include "span_link.h"

/* Where a call is counted: its number, 512 further for 32-bit calls, the last slot for numbers out of
 * range (also those of the x32 ABI). */
#define CALL_SLOTS_OF_ABI 512
#define CALL_SLOT_OTHER (2 * CALL_SLOTS_OF_ABI)
#define CALL_SLOTS (CALL_SLOT_OTHER + 1)

/* A call is its number with this bit for the 32-bit ABI. */
#define CALL_COMPAT (1U << 31)

#define LATENCY_FIRST_POWER 6
#define LATENCY_LAST_POWER 37
#define LATENCY_BUCKETS (2 + 4 * (LATENCY_LAST_POWER - LATENCY_FIRST_POWER + 1))
#define POWER_BUCKETS (2 + (LATENCY_LAST_POWER - LATENCY_FIRST_POWER + 1))

/* matrix_key.error of calls that do not return by their nature. */
#define NEVER_RETURNED 0xffff

#define EVENT_TEXT 512
#define EVENT_DATA 64
#define EVENT_STACK 127

/* In struct syscall_control, and may change at any time. */
enum syscall_control_bits {
	SYSCALLS_ALLOW_LIST = 1 << 0, /* only calls whose rule is RULE_ALLOW */
	SYSCALLS_FAILED = 1 << 1,     /* only calls that fail */
	SYSCALLS_ERRNOS = 1 << 2,     /* only calls that fail with an errno in `errnos` */
	SYSCALLS_SLOW = 1 << 3,       /* only calls that take min_latency_ns */
};

/* In the constant `syscall_flags`, set before the programs are loaded: what is not asked for the verifier
 * leaves out. */
enum syscall_flag_bits {
	SYSCALLS_BY_PROCESS = 1 << 4, /* `matrix` by process */
	SYSCALLS_BY_CGROUP = 1 << 5,  /* `matrix` by cgroup */
	SYSCALLS_HISTOGRAMS = 1 << 6, /* `histograms` as well */
	SYSCALLS_EVENTS = 1 << 7,     /* calls to `events` */
	SYSCALLS_STACKS = 1 << 8,     /* with its stack when it fails or takes stack_latency_ns */
	/* With one or both, only calls to `events` of which one is true; all are counted. */
	SYSCALLS_EVENTS_FAILED = 1 << 9, /* it fails */
	SYSCALLS_EVENTS_SLOW = 1 << 10,	 /* it takes event_latency_ns */
};

struct syscall_control {
	u32 paused;
	u32 flags; /* enum syscall_control_bits */
	u64 min_latency_ns;
	u64 stack_latency_ns;
	u64 first_enter; /* written here: when the first call was recorded, CLOCK_MONOTONIC */
	u64 since; /* calls entered before have unknown ends: the programs were away meanwhile */
	u64 event_latency_ns;
};

enum rule_verdict {
	RULE_NONE = 0,
	RULE_ALLOW = 1,
	RULE_DENY = 2,
};

enum rule_bits {
	CALL_NEVER_RETURNS = 1 << 0, /* exit, exit_group */
	CALL_HAS_NO_ERRORS = 1 << 1, /* what it returns is no errno: rt_sigreturn */
	CALL_REPLACES_PROGRAM = 1 << 2, /* execve: its texts are gone when it returns */
	CALL_ADDRESS_OUT = 1 << 3,   /* the socket address is written by the call; its length is an int
				      * behind a pointer */
	CALL_DATA_OUT = 1 << 4,	     /* the data is written by the call */
};

/* What to do with a call, and which arguments point to what is sent with an event. Arguments are
 * 1 to 6; 0: none. */
struct call_rule {
	u8 verdict; /* enum rule_verdict */
	u8 text[2]; /* zero-terminated texts */
	u8 address; /* a socket address */
	u8 address_length;
	u8 data; /* bytes; they take the place of the second text */
	u8 data_length; /* 0: what the call returns, unless data_bytes says it */
	u8 data_bytes;
	u32 flags; /* enum rule_bits */
	u32 padding;
};

struct call_totals {
	u64 enters;
	u64 returns;
	u64 errors;
	u64 rejected;
	u64 unpaired;	   /* returns of calls that were entered before, or while not recorded */
	u64 unpaired_zero; /* of these, with result 0: a new thread returns from clone() so */
	u64 total_ns;
	u64 max_ns;
	u64 buckets[LATENCY_BUCKETS];
};

struct matrix_key {
	u64 id; /* a process identity, a cgroup id, or 0 */
	u32 call;
	u32 error; /* errno, 0 for success, or NEVER_RETURNED */
};

struct matrix_value {
	u64 count;
	u64 total_ns;
};

struct histogram_key {
	u64 id;
	u32 call;
	u32 padding;
};

struct key_histogram {
	u64 buckets[POWER_BUCKETS];
};

struct process_name {
	char name[COMMAND_LENGTH];
	u64 cgroup; /* its id (v2) */
};

struct syscall_counters {
	u64 paused;
	u64 excluded; /* by process, command or cgroup */
	u64 filtered; /* by call */
	u64 thread_lost; /* no room to remember the start */
	u64 lost;
	u64 matrix_lost;
	u64 histograms_lost;
	u64 events_sent;
	u64 events_lost;
	u64 texts_cut;
	u64 stacks_cut;
	u64 unnamed;	 /* processes that did not fit into `processes` */
	u64 sampled_out; /* wanted, but not picked: economy.h */
	u64 enters_added;
	u64 returns_added;
	u64 rejected_added;
	u64 events_spared; /* counted and not sent: shorter than economy.min_event_ns */
	u64 events_unwanted; /* counted and not sent: neither failed nor slow, as was asked for */
	u64 spans_found;      /* events with the span that the thread was at work on */
	u64 spans_unreadable; /* events whose thread's context could not be read */
};

enum event_bits {
	EVENT_RETURNED = 1 << 0,
	EVENT_TEXT_CUT = 1 << 1, /* the first text goes on */
	EVENT_SECOND_TEXT_CUT = 1 << 2,
	EVENT_IS_ADDRESS = 1 << 3, /* the first text is a socket address */
	EVENT_IS_DATA = 1 << 4,	   /* the second text is data */
	EVENT_STACK_CUT = 1 << 5,
};

/* Sent up to the last part in use. */
struct syscall_event {
	u64 entered; /* CLOCK_MONOTONIC */
	u64 duration;
	s64 result;
	u64 process;
	u64 arguments[6];
	u32 tgid;
	u32 tid;
	u32 call;
	u32 flags; /* enum event_bits */
	char command[COMMAND_LENGTH];
	u32 length[2]; /* of the texts, in bytes */
	u32 depth;     /* of the stack */
	u32 weight;    /* for how many calls it stands */
	struct span_link span; /* what the thread was at work on; all 0: unknown, or nothing */
	char first[EVENT_TEXT];
	char second[EVENT_TEXT];
	u64 stack[EVENT_STACK];
};

/* What the iterator writes for each thread that is inside a call. */
struct waiting_call {
	u64 entered; /* 0: before the tracer was there */
	u32 tgid;
	u32 tid;
	u32 call;
	u32 padding;
	char command[COMMAND_LENGTH];
};

#endif
