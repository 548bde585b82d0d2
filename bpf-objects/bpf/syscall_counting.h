/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted of each call.
 */
#ifndef SWIFT_EBPF_SYSCALL_COUNTING_H
#define SWIFT_EBPF_SYSCALL_COUNTING_H

#include "syscall_state.h"

/* Of a number that is not 0. Without a branch: each would leave the verifier with one more result to
 * follow to the end of the program. */
INLINE u32 log2_of(u32 value)
{
	/* All numbers whose bits up to the highest are set differ in the upper five bits of this product. */
	static const u8 powers[32] = {
		0, 9,  1,  10, 13, 21, 2,  29, 11, 14, 16, 18, 22, 25, 3, 30,
		8, 12, 20, 28, 15, 17, 24, 7,  19, 27, 23, 6,  26, 5,  4, 31,
	};

	value |= value >> 1;
	value |= value >> 2;
	value |= value >> 4;
	value |= value >> 8;
	value |= value >> 16;
	return powers[value * 0x07c4acddU >> 27];
}

/* The power's own bucket in *coarse. */
INLINE u32 bucket_of(u64 nanoseconds, u32 *coarse)
{
	u32 above;

	if (nanoseconds >> LATENCY_FIRST_POWER == 0) {
		*coarse = 0;
		return 0;
	}
	if (nanoseconds >> (LATENCY_LAST_POWER + 1) != 0) {
		*coarse = POWER_BUCKETS - 1;
		return LATENCY_BUCKETS - 1;
	}
	above = log2_of(nanoseconds >> LATENCY_FIRST_POWER);
	*coarse = 1 + above;
	return 1 + above * 4 + (nanoseconds >> (above + LATENCY_FIRST_POWER - 2) & 3);
}

INLINE struct syscall_counters *own_counters(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

#define COUNT_MORE(field, amount)                              \
	do {                                                   \
		struct syscall_counters *count_ = own_counters(); \
		if (count_)                                    \
			count_->field += (amount);             \
	} while (0)
#define COUNT(field) COUNT_MORE(field, 1)

INLINE const struct economy *thrift(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&economy, &zero);
}

/* A process is named when something new of it is counted: rarely, and after execve again. Its name is that of
 * its first thread; others may have names of their own. */
INLINE void name_process(u64 process)
{
	const struct task_struct___calls *task = (const void *)bpf_get_current_task();
	const struct task_struct___calls *leader;
	struct process_name name;

	if (core_read(&leader, task, group_leader) != 0 ||
	    core_read(&name.name, leader, comm) != 0)
		return;
	name.name[COMMAND_LENGTH - 1] = 0;
	name.cgroup = bpf_get_current_cgroup_id();
	if (bpf_map_update_elem(&processes, &process, &name, UPDATE_ANY) != 0)
		COUNT(unnamed);
}

static NOINLINE int add_new_key(const struct matrix_key *key, u64 nanoseconds, u32 weight)
{
	struct matrix_value value = { .count = weight, .total_ns = nanoseconds }, *present;

	if (!key)
		return 0;
	if (syscall_flags & SYSCALLS_BY_PROCESS)
		name_process(key->id);
	if (bpf_map_update_elem(&matrix, key, &value, UPDATE_NOEXIST) == 0)
		return 1;
	present = bpf_map_lookup_elem(&matrix, key);
	if (!present) {
		COUNT(matrix_lost);
		return 0;
	}
	/* Another CPU was first. */
	__atomic_fetch_add(&present->count, weight, __ATOMIC_RELAXED);
	__atomic_fetch_add(&present->total_ns, nanoseconds, __ATOMIC_RELAXED);
	return 1;
}

/* `weight` calls that took so long altogether. */
INLINE bool add_to_matrix(const struct matrix_key *key, u64 nanoseconds, u32 weight)
{
	struct matrix_value *value = bpf_map_lookup_elem(&matrix, key);

	if (UNLIKELY(!value))
		return add_new_key(key, nanoseconds, weight) != 0;
	__atomic_fetch_add(&value->count, weight, __ATOMIC_RELAXED);
	__atomic_fetch_add(&value->total_ns, nanoseconds, __ATOMIC_RELAXED);
	return 1;
}

static NOINLINE int add_to_histogram(u64 id, u32 call, u32 bucket, u32 weight)
{
	static const struct key_histogram empty;
	struct histogram_key key = { .id = id, .call = call };
	struct key_histogram *histogram = bpf_map_lookup_elem(&histograms, &key);

	if (!histogram) {
		bpf_map_update_elem(&histograms, &key, &empty, UPDATE_NOEXIST);
		histogram = bpf_map_lookup_elem(&histograms, &key);
	}
	if (!histogram || bucket >= POWER_BUCKETS) {
		COUNT(histograms_lost);
		return 0;
	}
	__atomic_fetch_add(&histogram->buckets[bucket], weight, __ATOMIC_RELAXED);
	return 1;
}

/* Whose line of the matrix a call is in. */
INLINE u64 owner(u64 process)
{
	if (syscall_flags & SYSCALLS_BY_CGROUP)
		return bpf_get_current_cgroup_id();
	return syscall_flags & SYSCALLS_BY_PROCESS ? process : 0;
}

#endif
