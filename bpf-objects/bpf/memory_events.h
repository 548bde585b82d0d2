/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between memory.bpf.c and user space. Fixed-width fields, no hidden padding, integers
 * in the host's byte order, ids of the initial pid namespace. The filter's maps are in
 * process_filter.h, the stacks' in stacks.h.
 *
 *   map         type              key                     value
 *   control     array, mmapable   u32 (0)                 struct memory_control
 *   counters    per-CPU array     u32 (0)                 struct memory_counters
 *   processes   hash              struct process_id       struct memory_process
 *   programs    hash              u32 process id          struct process_id of what it runs now
 *   threads     hash              u32 thread id           private: what a thread is doing
 *   sites       hash              struct memory_site      struct memory_amount
 *   live        hash              struct memory_address   struct memory_block
 *   events      ring buffer       -                       struct stack_event, struct memory_*_event
 *   and economy of economy.h
 *
 * Blocks. A block enters `live` when the allocator returned it and leaves it when free is entered,
 * before its address can be given to another thread: the order is right on every CPU. realloc takes
 * its block out at its entry and puts it back when it failed. Calls that an allocator makes of its
 * own functions are told by the stack pointer and are not counted. Summed over CPUs, exactly,
 *
 *   allocations = blocks in `live` + frees + released + replaced + untracked
 *
 * Nothing that a probe saw is lost without being in one of the counters.
 */
#ifndef SWIFT_EBPF_MEMORY_EVENTS_H
#define SWIFT_EBPF_MEMORY_EVENTS_H

#include "process_filter.h"
#include "program_image.h"
#include "stacks.h"

enum memory_flag_bits {
	MEMORY_NO_STACKS = 1 << 0,
	MEMORY_KEEP_TRACK = 1 << 1,     /* the filter was changed: blocks of processes that are not
					 * wanted any more still leave `live` when they are freed */
	MEMORY_PICKS = 1 << 2,          /* not every allocation was recorded: a block that is not in
					 * `live` may be one that was not picked */
	MEMORY_WATCHES_COMPAT = 1 << 3, /* calls of 32-bit programs are seen */
};

enum memory_recording {
	MEMORY_RECORDS = 0,
	MEMORY_PAUSED = 1, /* records nothing, but lets blocks leave `live` */
	MEMORY_IDLE = 2,   /* before all probes are there, and while they are taken away: what is seen of
			    * a block would be half of it, so nothing is; calls in progress end */
};

/* Written by user space at any time; read at each event. */
struct memory_control {
	u32 paused;           /* enum memory_recording */
	u32 flags;            /* enum memory_flag_bits */
	u32 fault_period;     /* the stack of one page fault in so many is taken; 0: of none */
	u32 generation;       /* changes when programs were away: calls in progress have unknown ends */
	u64 sample_bytes;     /* one allocated byte in so many is a sample; 0: every allocation */
	u64 history_interval; /* ns between two points of a process's history */
	struct stack_settings stacks;
};

/* The kernel's counters of a process's pages (enum in mm_types_task.h). */
enum memory_pages { PAGES_FILE, PAGES_ANONYMOUS, PAGES_SWAP, PAGES_SHARED, PAGE_KINDS };

#define MEMORY_HISTORY 32
#define RSS_PERIOD 8

struct memory_point {
	u64 time;  /* CLOCK_MONOTONIC ns */
	u64 pages; /* resident */
};

struct memory_process {
	char command[COMMAND_LENGTH];
	u64 cgroup;              /* its id (v2) */
	u64 first_seen;          /* CLOCK_MONOTONIC ns */
	u64 faults;
	u64 maps;                /* successful mmap calls, and growing mremap calls */
	u64 mapped_bytes;
	u64 unmaps;              /* successful munmap calls, and shrinking mremap calls */
	u64 unmapped_bytes;
	u64 break_grown_bytes;   /* by brk */
	u64 break_shrunk_bytes;
	u64 pages[PAGE_KINDS];   /* as the kernel last told */
	u64 peak_pages;          /* resident at most: file, anonymous and shared */
	u64 stacks;              /* stacks sent for this process */
	u64 strays;              /* its stacks that left every mapping the reader knew */
	u64 asked;               /* when unwind rows were last asked for, CLOCK_MONOTONIC ns */
	u64 points;              /* written into history, at index points % MEMORY_HISTORY */
	struct memory_point history[MEMORY_HISTORY];
};

/* enum walk_end of stack_walk.h */
#define MEMORY_WALK_ENDS 8

enum memory_site_kind {
	SITE_ALLOCATION = 1,
	SITE_FAULT = 2,
	SITE_MAP = 3,
	SITE_BREAK = 4,
};

/* What equal events have in common. */
struct memory_site {
	struct process_id process;
	struct stack_id stack;
	u64 size; /* of each block, where allocations are sampled; 0 elsewhere */
	u32 kind; /* enum memory_site_kind */
	u32 factor; /* of allocations: 0, or as `factor` of struct memory_block */
};

struct memory_amount {
	u64 count;
	u64 bytes;
};

struct memory_address {
	struct process_id process;
	u64 address;
};

struct memory_block {
	u64 size;
	u64 time; /* CLOCK_MONOTONIC ns */
	struct stack_id stack;
	u32 tid;
	u32 factor; /* where one in more than one is picked to save (economy.h): with sample_bytes what
		     * the mean was multiplied by, otherwise how many blocks this one stands for */
	u64 weighted; /* where the process picks blocks itself (memory_probes.h): how many bytes this one
		       * stands for; 0 elsewhere */
};

struct memory_counters {
	u64 first_event;       /* CLOCK_MONOTONIC ns of the first event recorded on this CPU */
	u64 allocations;       /* successful, wanted, and picked if sampled */
	u64 allocated_bytes;
	u64 frees;             /* of blocks that were in `live` */
	u64 freed_bytes;
	u64 released;          /* left `live` while paused or not wanted any more */
	u64 released_bytes;
	u64 replaced;          /* given out again although no free was seen */
	u64 replaced_bytes;
	u64 untracked;         /* counted, but `live` was full: their frees are unknown frees */
	u64 untracked_bytes;
	u64 unknown_frees;     /* of blocks that are not in `live` */
	u64 null_frees;
	u64 failures;          /* the allocator returned nothing */
	u64 nested;            /* calls that the allocator made itself */
	u64 abandoned;         /* calls that never returned */
	u64 sampled_out;       /* allocations and page faults that were not picked */
	u64 filtered;          /* not wanted: process, command or cgroup */
	u64 paused;            /* not wanted: while paused */
	u64 threads_lost;      /* events of threads that found `threads` full: lost */
	u64 processes_lost;    /* events of processes that found `processes` full: lost */
	u64 sites_overflowed;  /* `sites` full: sent through the ring */
	u64 sites_lost;        /* `sites` full and ring full: their place is lost */
	u64 faults;
	u64 fault_stacks;      /* page faults whose stack was taken */
	u64 mappings;          /* mmap, munmap, mremap and brk that changed something */
	u64 mapping_failures;  /* and that failed or changed nothing */
	u64 rss_events;        /* one in RSS_PERIOD is looked at: the kernel's numbers lag by more */
	u64 rss_updates;       /* of those that were looked at */
	u64 unowned;           /* of an address space in which no program runs yet, or any more */
	u64 victims;           /* processes the kernel killed for want of memory */
	u64 events_lost;       /* process, exit and victim events that found the ring full */
	u64 faults_added;      /* what picked page faults counted in `faults` beyond themselves */
	u64 allocations_added; /* the same of `allocations`, `frees` and `released` */
	u64 frees_added;
	u64 released_added;
	u64 unreadable;        /* static probes whose arguments could not be read: lost */
	u64 unwatched;         /* 32-bit programs that ran before their mappings were watched */
	struct stack_counters stacks;
	u64 walks[MEMORY_WALK_ENDS]; /* by unwind rows, by why they ended: memory_walking.bpf.c only */
	u64 guessed_frames;    /* found by frame pointer on such walks, for want of a row */
};

enum memory_event_kind {
	MEMORY_SITE_EVENT = 2,    /* after STACK_EVENT */
	MEMORY_PROCESS_EVENT = 3,
	MEMORY_EXIT_EVENT = 4,
	MEMORY_VICTIM_EVENT = 5,
};

/* One event that found no room in `sites`. */
struct memory_site_event {
	u32 kind; /* MEMORY_SITE_EVENT */
	u32 padding;
	struct memory_site site;
	struct memory_amount amount;
};

/* Sent, with a wake-up, when a process is first seen, at each exec and at its 1st, 2nd, 4th …
 * stack, so that a reader can look at its mappings before it ends; and when a walk came to code whose
 * unwind rows are not there yet. */
struct memory_process_event {
	u32 kind; /* MEMORY_PROCESS_EVENT */
	u16 is_new_program;
	u16 is_compat; /* a 32-bit program */
	struct process_id process;
	u64 time;   /* CLOCK_MONOTONIC ns */
	u64 wanted; /* the address whose rows are wanted; 0 where the process itself is told of */
};

/* A process has ended or executed another program; its entry in `processes` will not change any
 * more. */
struct memory_exit_event {
	u32 kind; /* MEMORY_EXIT_EVENT */
	u32 padding;
	struct process_id process;
};

struct memory_victim_event {
	u32 kind; /* MEMORY_VICTIM_EVENT */
	u32 padding;
	struct process_id process;
	u64 time; /* CLOCK_MONOTONIC ns */
	struct memory_process growth;
};

#endif
