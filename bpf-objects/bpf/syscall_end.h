/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call returns.
 */
#ifndef SWIFT_EBPF_SYSCALL_END_H
#define SWIFT_EBPF_SYSCALL_END_H

#include "syscall_begin.h"

INLINE bool result_wanted(const struct syscall_control *settings, u32 flags, u32 error, u64 duration)
{
	if (LIKELY(!(flags & (SYSCALLS_FAILED | SYSCALLS_ERRNOS | SYSCALLS_SLOW))))
		return 1;
	if ((flags & SYSCALLS_FAILED) && error == 0)
		return 0;
	if (flags & SYSCALLS_ERRNOS) {
		u32 index = error / 64;
		const u64 *bits = bpf_map_lookup_elem(&errnos, &index);

		if (!bits || !(*bits >> (error % 64) & 1))
			return 0;
	}
	return !(flags & SYSCALLS_SLOW) || duration >= settings->min_latency_ns;
}

/* Whether a call that has returned is sent; what is not is counted. Economy raises the least duration
 * of an event, and leaves those that were asked for because they fail. */
INLINE bool event_wanted(const struct syscall_control *settings, u32 error, u64 duration)
{
	const struct economy *how;

	if (syscall_flags & (SYSCALLS_EVENTS_FAILED | SYSCALLS_EVENTS_SLOW)) {
		if ((syscall_flags & SYSCALLS_EVENTS_FAILED) && error)
			return 1;
		if (!(syscall_flags & SYSCALLS_EVENTS_SLOW) || duration < settings->event_latency_ns) {
			COUNT(events_unwanted);
			return 0;
		}
	}
	how = thrift();
	if (how && duration < how->min_event_ns) {
		COUNT(events_spared);
		return 0;
	}
	return 1;
}

INLINE int end(void *context, struct thread_call *thread, s64 result, u64 now)
{
	struct syscall_control *settings;
	struct matrix_key key = {};
	struct call_totals *total;
	u32 zero = 0, slot, flags, bucket, coarse, error = 0, weight = thread->weight;
	u64 duration, entered = 0;
	bool complete = 1;

	duration = now - thread->entered;
	settings = bpf_map_lookup_elem(&control, &zero);
	slot = slot_of(thread->call);
	total = bpf_map_lookup_elem(&totals, &slot);
	if (!settings || !total)
		return 0; /* arrays: cannot happen */
	/* Its return may have been one that nobody saw. */
	if (UNLIKELY(thread->entered < READ_ONCE(settings->since))) {
		thread->entered = 0;
		return 0;
	}
	flags = READ_ONCE(settings->flags);
	if (syscall_flags & SYSCALLS_EVENTS)
		entered = thread->entered;
	thread->entered = 0;
	if (UNLIKELY(result < 0 && result >= -MAX_ERRNO)) {
		const struct call_rule *rule = bpf_map_lookup_elem(&rules, &slot);

		if (rule && !(rule->flags & CALL_HAS_NO_ERRORS))
			error = (u32)-result;
	}
	if (UNLIKELY(!result_wanted(settings, flags, error, duration))) {
		total->rejected += weight;
		if (UNLIKELY(weight > 1))
			COUNT_MORE(rejected_added, weight - 1);
		return 0;
	}
	total->returns += weight;
	if (UNLIKELY(weight > 1))
		COUNT_MORE(returns_added, weight - 1);
	if (error)
		total->errors += weight;
	total->total_ns += duration * weight;
	if (duration > total->max_ns)
		total->max_ns = duration;
	bucket = bucket_of(duration, &coarse);
	if (bucket < LATENCY_BUCKETS)
		total->buckets[bucket] += weight;

	if (error || (syscall_flags & (SYSCALLS_BY_PROCESS | SYSCALLS_BY_CGROUP))) {
		key.id = owner(thread->process);
		key.call = thread->call;
		key.error = error;
		complete = add_to_matrix(&key, duration * weight, weight);
		if (syscall_flags & SYSCALLS_HISTOGRAMS)
			complete = add_to_histogram(key.id, key.call, coarse, weight) != 0 && complete;
	}
	if ((syscall_flags & SYSCALLS_EVENTS) && event_wanted(settings, error, duration))
		complete = send_event(context, thread, result, entered, duration) != 0 && complete;
	if (UNLIKELY(!complete))
		COUNT(lost);
	return 0;
}

/* A return without an enter: the call was in progress when recording began, or when a filter began
 * to want it; or a new thread returns from the clone() of another. */
static NOINLINE int count_unpaired(s64 number, u32 compat, s64 result)
{
	struct call_totals *total;
	const struct syscall_control *settings;
	const struct call_rule *rule;
	const struct economy *how = thrift();
	u32 zero = 0, slot = slot_of(call_of(number, compat));

	settings = bpf_map_lookup_elem(&control, &zero);
	rule = bpf_map_lookup_elem(&rules, &slot);
	if (!settings || !rule || !how || settings->paused)
		return 0;
	/* Most of them are of calls that were not picked. */
	if (READ_ONCE(how->sampling) > 1)
		return 0;
	if (settings->flags & SYSCALLS_ALLOW_LIST ? rule->verdict != RULE_ALLOW
						  : rule->verdict == RULE_DENY)
		return 0;
	if (!process_wanted(bpf_get_current_pid_tgid() >> 32))
		return 0;
	total = bpf_map_lookup_elem(&totals, &slot);
	if (!total)
		return 0; /* an array: cannot happen */
	total->unpaired++;
	if (result == 0)
		total->unpaired_zero++;
	return 0;
}

#endif
