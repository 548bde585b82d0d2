/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted of each call.
 */
#ifndef SWIFT_EBPF_SYSCALL_COUNTING_H
#define SWIFT_EBPF_SYSCALL_COUNTING_H

#include "syscall_state.h"

INLINE u32 log2_of(u64 value)
{
	u32 power = 0;

	if (value >> 32) {
		value >>= 32;
		power = 32;
	}
	if (value >> 16) {
		value >>= 16;
		power += 16;
	}
	if (value >> 8) {
		value >>= 8;
		power += 8;
	}
	if (value >> 4) {
		value >>= 4;
		power += 4;
	}
	if (value >> 2) {
		value >>= 2;
		power += 2;
	}
	return power + (value >> 1 & 1);
}

/* The power's own bucket in *coarse. */
INLINE u32 bucket_of(u64 nanoseconds, u32 *coarse)
{
	u32 power;

	if (nanoseconds >> LATENCY_FIRST_POWER == 0) {
		*coarse = 0;
		return 0;
	}
	if (nanoseconds >> (LATENCY_LAST_POWER + 1) != 0) {
		*coarse = POWER_BUCKETS - 1;
		return LATENCY_BUCKETS - 1;
	}
	power = log2_of(nanoseconds);
	*coarse = 1 + power - LATENCY_FIRST_POWER;
	return 1 + (power - LATENCY_FIRST_POWER) * 4 + (nanoseconds >> (power - 2) & 3);
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

static NOINLINE int add_new_key(const struct matrix_key *key, u64 nanoseconds, u32 weight,
				u32 is_process)
{
	struct matrix_value value = { .count = weight, .total_ns = nanoseconds }, *present;

	if (!key)
		return 0;
	if (is_process)
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
INLINE bool add_to_matrix(const struct matrix_key *key, u64 nanoseconds, u32 weight, u32 flags)
{
	struct matrix_value *value = bpf_map_lookup_elem(&matrix, key);

	if (UNLIKELY(!value))
		return add_new_key(key, nanoseconds, weight, flags & SYSCALLS_BY_PROCESS) != 0;
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
INLINE u64 owner(u32 flags, u64 process)
{
	if (flags & SYSCALLS_BY_CGROUP)
		return bpf_get_current_cgroup_id();
	return flags & SYSCALLS_BY_PROCESS ? process : 0;
}

#endif
