/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What process_tracer.bpf.c and user space (Sources/EBPFTracers/Processes) agree on.
 *
 *   map        type             key                       value
 *   control    array, mmap      u32 (0)                   struct process_control
 *   counters   per-CPU array    u32 (0)                   struct process_counters
 *   events     ring buffer      struct process_record, up to the last byte of text in use
 *   ended      LRU hash         struct process_end        u32 (1)
 *   and the maps of process_filter.h and economy.h
 *
 * A process begins a program with execve(), some several one after the other, and ends once, with its
 * last thread. Each of the two is one of: paused, excluded, sampled_out, lost, sent.
 */
#ifndef SWIFT_EBPF_PROCESS_EVENTS_H
#define SWIFT_EBPF_PROCESS_EVENTS_H

#include "helpers.h"
#include "process_filter.h"

/* Bytes of a path with its zero, and of all arguments with theirs. */
#define PROCESS_PATH 256
#define PROCESS_ARGUMENTS 1024

enum process_event {
	PROCESS_EXEC = 1,
	PROCESS_EXIT = 2,
};

enum process_bits {
	PROCESS_PATH_CUT = 1 << 0,	/* the path goes on */
	PROCESS_ARGUMENTS_CUT = 1 << 1, /* there are more arguments, or the last one goes on */
	PROCESS_ARGUMENTS_UNREAD = 1 << 2,
	PROCESS_NEVER_EXECUTED = 1 << 3, /* it ends as a copy of the one that made it */
};

struct process_control {
	u32 paused;
	u32 padding;
	u64 first_event; /* written here: when the first event was recorded, CLOCK_MONOTONIC */
};

struct process_counters {
	u64 paused;
	u64 excluded;	 /* by process, command or cgroup */
	u64 sampled_out; /* wanted, but not picked: economy.h */
	u64 sent;
	u64 lost; /* found the buffer full */
	u64 paths_cut;
	u64 arguments_cut;
	u64 arguments_unread;
};

/* A number and when it began to be used: what identifies a process. */
struct process_end {
	u64 start;
	u64 tgid;
};

struct process_record {
	u64 time;  /* CLOCK_MONOTONIC */
	u64 start; /* when the process began, CLOCK_MONOTONIC */
	u64 cgroup; /* its id (v2) */
	u32 tgid;
	u32 parent;
	u32 user; /* the real user's id in the initial user namespace */
	u32 weight; /* for how many processes it stands */
	u32 what;  /* enum process_event */
	u32 flags; /* enum process_bits */
	u32 status; /* of PROCESS_EXIT, as wait(2) has it */
	u32 argument_count; /* of PROCESS_EXEC; 0: not known */
	u32 length[2]; /* in text: of the path with its zero, and of the arguments after it */
	char command[COMMAND_LENGTH];
	char text[PROCESS_PATH + PROCESS_ARGUMENTS];
};

#endif
