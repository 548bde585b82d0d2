/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between wall_profiler.bpf.c and user space, beside that of events.h: where every
 * nanosecond of a thread went.
 *
 *   map             type              key                  value
 *   wall_clock      array, mmapable   u32 (0)              u64, see below
 *   waits           hash              struct profiler_key  struct wait
 *   wakes           hash              struct wake_key      struct wait
 *   threads         task storage      -                    struct thread_record
 *   threads_by_id   hash              u32 thread id        struct thread_record
 *   wall_counters   per-CPU array     u32 (0)              struct wall_counters
 *
 * With wall_takes_wakers the blocked time that ended by a wake-up is in `wakes`, all other in `waits`.
 *
 * One of `threads` and `threads_by_id` is there: the second where programs cannot have the first.
 *
 * Time is "recorded time": nanoseconds that stand still while recording is paused, and never 0. It is
 * the rest of wall_clock where that has CLOCK_STOPPED, else CLOCK_MONOTONIC less wall_clock: one word,
 * so that user space stops and starts it in one step.
 *
 * A thread's record says since when it is where it is. A wait is counted when the thread leaves the
 * CPU the next time, since only then it is the current one, whose filters and names are at hand: in
 * `waits` under its stacks, and in the record's `times`, which lose nothing when `waits` is full.
 * When a thread ends its record goes through the ring; those that live are listed by wall_list.
 *
 * Each moment of a thread is in exactly one of: the record's `times`, what its `left`, `woken` and
 * `arrived` say and is not counted yet. So the sum is the time that the thread was there.
 */
#ifndef SWIFT_EBPF_WALL_EVENTS_H
#define SWIFT_EBPF_WALL_EVENTS_H

#include "events.h"

enum thread_state {
	THREAD_UNKNOWN,       /* nothing happened to it since it is known */
	THREAD_RUNNING,       /* on a CPU */
	THREAD_PREEMPTED,     /* could run, but others do: it had to leave the CPU */
	THREAD_WOKEN,         /* could run, but others do: since it was woken, or started */
	THREAD_SLEEPING,      /* waits for something: interruptible (S) */
	THREAD_DISK,          /* waits for something: uninterruptible (D) */
	THREAD_IO,            /* waits for input or output: counted as iowait */
	THREAD_STOPPED,       /* by a signal or a debugger (T, t) */
	THREAD_IDLE,          /* a kernel thread with nothing to do (I) */
	THREAD_OTHER,         /* parked, frozen, or not known */
	THREAD_STATES,
	THREAD_DEAD = 15,
};

/* More of enum profiler_key_bits, in `waits`. */
#define KEY_STATE_SHIFT 8               /* enum thread_state, 4 bits */
#define KEY_WAIT_SHORT (1 << 4)         /* shorter than wall_min_wait: without stacks */
#define KEY_STACKS_LEFT_OUT (1 << 5)    /* to save: economy.h */
#define KEY_BEFORE (1 << 6)             /* the wait began before the recording, or in a pause */
#define KEY_WAKER (1 << 7)              /* of a waker: what else is there means something */

#define CLOCK_STOPPED (1ULL << 63)

struct wait {
	u64 time;  /* ns */
	u64 count;
};

/* A wait, and the thread that ended it: what ran where the thread was woken. An interrupt has the stacks
 * of the thread that it came upon. */
struct wake_key {
	struct profiler_key blocked;
	struct profiler_key waker; /* process 0: the CPU was idle; flags 0: not known */
};

struct thread_record {
	u64 left;    /* when it left a CPU last; 0: not since it is known */
	u64 arrived; /* when it came onto one after that; 0: it has not */
	u64 woken;   /* when it was woken last; 0: not since it is known */
	u64 born;    /* when it was started; 0: before it was known */
	u64 ran;     /* task_struct.se.sum_exec_runtime when it left, or when it was met; ns */
	u64 image;   /* struct process_id, when its stacks were taken */
	struct stack_id user_stack;
	struct stack_id kernel_stack;
	u32 state;     /* enum thread_state, from `left` on */
	u32 key_flags; /* enum profiler_key_bits of its stacks */
	u64 times[THREAD_STATES];
	u64 voluntary;   /* times it left the CPU to wait */
	u64 involuntary; /* times it had to leave */
	u32 verdict;     /* enum thread_verdict */
	u32 before;      /* enum thread_state when it was met, before anything happened to it */
	struct profiler_key waker; /* who woke it last, at `woken`; flags 0: not known */
};

enum thread_verdict {
	VERDICT_NONE,
	VERDICT_WANTED,   /* what the filters said when it ended, */
	VERDICT_UNWANTED, /* before they forgot its process */
};

/* Summed over CPUs. A wait is one or two intervals: blocked, then runnable.
 *   intervals = recorded + overflowed + dropped */
struct wall_counters {
	u64 first_event;    /* CLOCK_MONOTONIC ns of the first interval on this CPU */
	u64 switches;       /* a wanted thread left the CPU */
	u64 unwanted;       /* a thread left the CPU that is not wanted */
	u64 untracked;      /* a wanted thread left the CPU that has no record: its time is not known */
	u64 inferred;       /* a wanted thread left the CPU that nobody had seen arrive: the kernel's
			     * own account of its run says when that was */
	u64 recorded;       /* intervals counted in `waits` or `wakes` */
	u64 overflowed;     /* the table full: sent through the ring */
	u64 dropped;        /* the table full and ring full: their stacks are lost, */
	u64 dropped_time;   /* not their time, which is in the thread's record; ns */
	u64 records_lost;   /* threads that ended when the ring was full */
	u64 records_time;   /* and the time in their records; ns */
	u64 threads_lost;   /* threads for which no record could be made */
};

/* More of enum profiler_event_kind. */
enum wall_event_kind {
	WALL_WAIT_EVENT = 4,
	WALL_THREAD_EVENT = 5,
	WALL_WAKE_EVENT = 6,
};

/* One interval that found no room in `waits`. */
struct wall_wait_event {
	u32 kind; /* WALL_WAIT_EVENT */
	u32 padding;
	u64 time; /* ns */
	struct profiler_key key;
};

/* One interval that found no room in `wakes`. */
struct wall_wake_event {
	u32 kind; /* WALL_WAKE_EVENT */
	u32 padding;
	u64 time; /* ns */
	struct wake_key key;
};

enum wall_thread_bits {
	WALL_THREAD_ENDED = 1 << 0,
	WALL_THREAD_WANTED = 1 << 1,  /* by the filters, now */
	WALL_THREAD_KERNEL = 1 << 2,  /* a kernel thread */
	WALL_THREAD_ON_CPU = 1 << 3,  /* now */
	WALL_THREAD_LATE = 1 << 4,    /* it has no record */
};

/* A thread that ended, through the ring; or that lives, from the iterator. */
struct wall_thread_event {
	u32 kind; /* WALL_THREAD_EVENT */
	u32 flags; /* enum wall_thread_bits */
	u32 tid;
	u32 state; /* enum thread_state, now; 0 when it ended */
	struct process_id process;
	char command[COMMAND_LENGTH];
	struct thread_record record;
};

#endif
