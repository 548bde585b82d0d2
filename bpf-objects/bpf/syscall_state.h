/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel fields that the system call tracer reads, and its maps.
 */
#ifndef SWIFT_EBPF_SYSCALL_STATE_H
#define SWIFT_EBPF_SYSCALL_STATE_H

#include "economy.h"
#include "helpers.h"
#include "syscall_events.h"

#define MAX_ERRNO 4095
#define PF_KTHREAD 0x00200000
#define TASK_SLEEPS 3	      /* TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE */
#define STORAGE_CREATE 1

HELPER(long, read_user_text, 114, void *to, u32 size, const void *from);
HELPER(long, read_kernel_text, 115, void *to, u32 size, const void *from);
HELPER(long, write_sequence, 127, void *file, const void *data, u32 size);
HELPER(void *, storage_of_task, 156, void *map, void *task, void *value, u64 flags);

/* ---- Kernel fields, found by name. ---- */

struct task_struct___calls {
	unsigned int flags;
	unsigned int __state;
	int pid;
	int tgid;
	u64 start_boottime;
	struct task_struct___calls *group_leader;
	char comm[COMMAND_LENGTH];
} CORE;

struct pt_regs___x86 {
	unsigned long bx, cx, dx, si, di, bp, r8, r9, r10, orig_ax;
} CORE;

struct pt_regs___arm64 {
	u64 regs[31];
	int syscallno;
} CORE;

struct bpf_iter_meta___calls {
	void *seq;
} CORE;

struct bpf_iter__task___calls {
	struct bpf_iter_meta___calls *meta;
	struct task_struct___calls *task;
} CORE;

/* ---- What is recorded, as long as the programs are there. ---- */

const volatile u32 syscall_flags = 0; /* enum syscall_flag_bits */

/* ---- Maps. ---- */

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct syscall_control);
} control SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, CALL_SLOTS);
	__type(key, u32);
	__type(value, struct call_rule);
} rules SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, (MAX_ERRNO + 1) / 64);
	__type(key, u32);
	__type(value, u64);
} errnos SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, CALL_SLOTS);
	__type(key, u32);
	__type(value, struct call_totals);
} totals SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 65536);
	__type(key, struct matrix_key);
	__type(value, struct matrix_value);
} matrix SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 65536);
	__type(key, struct histogram_key);
	__type(value, struct key_histogram);
} histograms SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct process_name);
} processes SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct syscall_counters);
} counters SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct syscall_event);
} scratch SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} events SEC(".maps");

/* A call in progress. */
struct thread_call {
	u64 entered; /* 0: none */
	u32 call;
	u32 weight;  /* for how many calls it stands */
	u64 process; /* 0: not looked up yet */
	u64 arguments[8]; /* six, and as many as make an index easy to bound */
};

struct {
	__uint(type, MAP_TASK_STORAGE);
	__uint(map_flags, MAP_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_call);
} threads SEC(".maps");

/* The same where there is no task storage, by task address. */
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct thread_call);
} thread_table SEC(".maps");

struct exec_path {
	char text[EVENT_TEXT];
};

/* By task address: the path given to an execve() in progress. */
struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, u64);
	__type(value, struct exec_path);
} exec_paths SEC(".maps");

#endif
