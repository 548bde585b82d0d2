/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between cpu_profiler.bpf.c and user space: every map's key and value, every record
 * of the ring. Fixed-width fields, no hidden padding, little surprises: all integers are in the
 * host's byte order, all "ids" are those of the initial pid namespace.
 *
 *   map               type             key                        value
 *   control           array, mmapable  u32 (0)                    struct profiler_control
 *   counts            hash             struct profiler_key        u64 samples
 *   sent_stacks       array            u32 id.high % SENT_STACKS  struct stack_id sent last
 *   met_processes     array            u32 tgid % MET_PROCESSES   struct met_process
 *   counters          per-CPU array    u32 (0)                    struct profiler_counters
 *   scratch           per-CPU array    u32 (0)                    private to the program
 *   events            ring buffer      -                          struct profiler_*_event
 *
 * and the maps of process_filter.h, economy.h and thread_context.h.
 *
 * How the pieces meet. A sample is counted under its key in the counts map. The key names
 * its stacks by a 128-bit hash of their addresses; the addresses themselves are sent through the
 * ring, before the first count that refers to them, and again only after another stack took their
 * place in sent_stacks. So a reader that keeps the stacks it received can always resolve a key.
 * When the counts map is full the sample itself goes through the ring; so does one of a thread that
 * says which span it is at work on, together with that.
 *
 * The counts are complete and quiet once the program is detached from every CPU: read them then.
 */
#ifndef SWIFT_EBPF_EVENTS_H
#define SWIFT_EBPF_EVENTS_H

#include "process_filter.h"
#include "program_image.h"
#include "span_link.h"

/* Frames per stack at most: perf_event_max_stack's default, and what the scratch holds. */
#define STACK_DEPTH 127
/* Powers of two. Two stacks or processes that share a place are told about more often: no harm. */
#define SENT_STACKS 32768
#define MET_PROCESSES 8192

/* The constant profiler_flags, set before the program is loaded. */
enum profiler_flag_bits {
	PROFILER_NO_USER_STACKS = 1 << 0,
	PROFILER_NO_KERNEL_STACKS = 1 << 1,
	PROFILER_PER_THREAD = 1 << 2,   /* profiler_key.tid is filled */
	PROFILER_INCLUDE_IDLE = 1 << 3, /* count the idle task (process id 0) too */
};

/* Written by user space before the program is attached; read at each sample. */
struct profiler_control {
	u32 excluded_tgid; /* a process never sampled (ourselves); 0: none */
	u32 stack_limit;   /* kernel.perf_event_max_stack, to know a cut stack; 0: STACK_DEPTH */
	u32 wake_bytes;    /* unread ring bytes that wake the reader; 0: a quarter of the ring */
	u32 padding;
	u64 excluded_image; /* a program never sampled (ourselves, and forks of us until they execute
			     * another): process_id.image; 0: none */
	u64 sample_limit;  /* stop counting after so many samples; 0: never */
	u64 samples;       /* written by the program: samples counted under sample_limit */
};

/* Both halves 0: no stack. */
struct stack_id {
	u64 low;
	u64 high;
};

/* The process that was met last at its place, and its samples since. */
struct met_process {
	struct process_id process;
	u64 samples;
	u64 strays; /* walks that left the mappings known */
};

enum profiler_key_bits {
	KEY_KERNEL_THREAD = 1 << 0,     /* has no user stack, and that is no loss */
	KEY_USER_STACK_LOST = 1 << 1,   /* there was one, but the ring was full */
	KEY_KERNEL_STACK_LOST = 1 << 2, /* there was one, but the ring was full */
	KEY_USER_STACK_NONE = 1 << 3,   /* the kernel could not read one */
};

struct profiler_key {
	struct process_id process;
	struct stack_id user_stack;
	struct stack_id kernel_stack; /* in profile_compare: the user's by frame pointers */
	u32 tid;   /* 0 without PROFILER_PER_THREAD */
	u32 flags; /* enum profiler_key_bits */
	char command[COMMAND_LENGTH];
};

/*
 * Summed over CPUs:
 *   seen = recorded + overflowed + linked + excluded + idle + filtered + sampled_out + capped +
 *          dropped
 */
struct profiler_counters {
	u64 first_sample;         /* CLOCK_MONOTONIC ns of the first sample counted on this CPU */
	u64 seen;                 /* the program ran */
	u64 recorded;             /* counted in a counts map */
	u64 overflowed;           /* counts map full: sent through the ring as a sample event */
	u64 dropped;              /* counts map full and ring full: lost */
	u64 excluded;             /* not wanted: excluded_tgid, excluded_image */
	u64 idle;                 /* not wanted: the idle task */
	u64 filtered;             /* not wanted: pid, command or cgroup */
	u64 capped;               /* not wanted: over sample_limit */
	u64 sampled_out;          /* wanted, but not picked: economy.h */
	u64 user_stacks_lost;     /* counted, but without their user stack: ring full */
	u64 kernel_stacks_lost;   /* counted, but without their kernel stack: ring full */
	u64 user_stacks_cut;      /* counted, deeper than stack_limit */
	u64 kernel_stacks_cut;    /* counted, deeper than stack_limit */
	u64 user_stacks_none;     /* counted, not a kernel thread, and no user stack readable */
	u64 stacks_sent;          /* stack events written */
	u64 process_events_lost;  /* process events that found the ring full */
	u64 walks[8];             /* user stacks by enum walk_end (stack_walk.h) */
	u64 guessed_frames;       /* found by frame pointer where no row was known */
	u64 linked;               /* sent through the ring, with the span the thread was at work on */
	u64 links_lost;           /* counted, but without their span: ring full */
	u64 links_unreadable;     /* counted, and the thread's context could not be read */
};

enum profiler_event_kind {
	PROFILER_STACK_EVENT = 1,
	PROFILER_SAMPLE_EVENT = 2,
	PROFILER_PROCESS_EVENT = 3,
	/* 4 to 6 are in wall_events.h. */
	PROFILER_LINKED_EVENT = 7,
};

enum profiler_stack_bits {
	STACK_KERNEL = 1 << 0,
	STACK_CUT = 1 << 1, /* the frames nearest to the root are missing: too deep */
	STACK_BROKEN = 1 << 2, /* they are missing: the walk did not find its way */
};

/* The addresses of a stack, leaf first. The record ends after `depth` of them. */
struct profiler_stack_event {
	u32 kind;  /* PROFILER_STACK_EVENT */
	u16 flags; /* enum profiler_stack_bits */
	u16 depth;
	struct stack_id id;
	u64 addresses[STACK_DEPTH];
};

/* One sample that found no room in the counts map. */
struct profiler_sample_event {
	u32 kind;   /* PROFILER_SAMPLE_EVENT */
	u32 weight; /* how many samples it stands for */
	struct profiler_key key;
};

/* A sample of a thread that was at work on a span. */
struct profiler_linked_event {
	struct profiler_sample_event sample; /* its kind is PROFILER_LINKED_EVENT */
	struct span_link link;
};

/* Sent, with a wake-up, at a process's 1st, 2nd, 4th … 64th sample, so that a reader can look at
 * its mappings before it ends; without an image where it is first met at its end. */
struct profiler_process_event {
	u32 kind; /* PROFILER_PROCESS_EVENT */
	u32 padding;
	struct process_id process;
	u64 time;    /* CLOCK_MONOTONIC ns */
	u64 samples; /* which sample this was: 1, 2, 4 …; 0 with `wanted`, or without an image */
	u64 wanted;  /* an address whose unwind rows are missing; 0 for none */
	u64 cgroup;  /* its id (v2) */
};

#endif
