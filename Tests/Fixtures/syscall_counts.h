/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the three system call counters share.
 *   enters   per-CPU array   u32 system call number (0...511)   u64
 *   errors   per-CPU array   u32 errno (1...4095)               u64
 *   totals   array           u32: 0 enters, 1 exits, 2 errors   u64
 */
#ifndef SYSCALL_COUNTS_H
#define SYSCALL_COUNTS_H

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 512);
	__type(key, u32);
	__type(value, u64);
} enters SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
} errors SEC(".maps");

enum { TOTAL_ENTERS, TOTAL_EXITS, TOTAL_ERRORS, TOTALS };

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, TOTALS);
	__type(key, u32);
	__type(value, u64);
} totals SEC(".maps");

u32 target_tgid = 0;

INLINE bool is_target(void)
{
	u32 target = READ_ONCE(target_tgid);

	return target != 0 && bpf_get_current_pid_tgid() >> 32 == target;
}

INLINE void add_total(u32 which)
{
	u64 *total = bpf_map_lookup_elem(&totals, &which);

	if (total)
		__sync_fetch_and_add(total, 1);
}

INLINE void count_syscall_enter(s64 id)
{
	u32 key = id;
	u64 *count;

	if (!is_target())
		return;
	add_total(TOTAL_ENTERS);
	count = bpf_map_lookup_elem(&enters, &key);
	if (count)
		(*count)++;
}

INLINE void count_syscall_exit(s64 result)
{
	u32 key = -result;
	u64 *count;

	if (!is_target())
		return;
	add_total(TOTAL_EXITS);
	if (result >= 0 || result < -4095)
		return;
	add_total(TOTAL_ERRORS);
	count = bpf_map_lookup_elem(&errors, &key);
	if (count)
		(*count)++;
}

#endif
