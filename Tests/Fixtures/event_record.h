/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record that ringbuf_events and perfbuf_events send at each system call of one process, and
 * what they keep: `sequences` (per-CPU array, 1 × struct event_counts).
 */
#ifndef EVENT_RECORD_H
#define EVENT_RECORD_H

struct event_record {
	u64 sequence; /* of this CPU: 0, 1, 2 …; a dropped record has used its number */
	u64 time;     /* CLOCK_MONOTONIC ns */
	u32 cpu;
	u32 tgid;
	u32 tid;
	u32 syscall;
	u64 filling[4]; /* sequence × 1, 2, 3, 4: shows a torn record */
};

_Static_assert(sizeof(struct event_record) == 64, "what the tests read");

struct event_counts {
	u64 produced;
	u64 dropped;
};

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct event_counts);
} sequences SEC(".maps");

u32 target_tgid = 0; /* 0: nobody */
u32 target_syscall = 0xffffffff; /* one system call number; all ones: each */

struct raw_tracepoint {
	u64 args[2];
};

/* The counts of this CPU when the current call is to be reported, else NULL. */
INLINE struct event_counts *wanted_counts(u32 syscall)
{
	u32 target = READ_ONCE(target_tgid), only = READ_ONCE(target_syscall), zero = 0;

	if (target == 0 || bpf_get_current_pid_tgid() >> 32 != target)
		return NULL;
	if (only != 0xffffffff && only != syscall)
		return NULL;
	return bpf_map_lookup_elem(&sequences, &zero);
}

INLINE void fill_record(struct event_record *record, u64 sequence, u32 syscall)
{
	u64 pid_tgid = bpf_get_current_pid_tgid();

	record->sequence = sequence;
	record->time = bpf_ktime_get_ns();
	record->cpu = bpf_get_smp_processor_id();
	record->tgid = pid_tgid >> 32;
	record->tid = (u32)pid_tgid;
	record->syscall = syscall;
	for (u32 i = 0; i < 4; i++)
		record->filling[i] = sequence * (i + 1);
}

#endif
