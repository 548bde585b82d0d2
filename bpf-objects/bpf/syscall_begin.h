/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call begins.
 */
#ifndef SWIFT_EBPF_SYSCALL_BEGIN_H
#define SWIFT_EBPF_SYSCALL_BEGIN_H

#include "syscall_numbers.h"
#include "syscall_sending.h"

/* What the programs know about the call they are in. */
struct admission {
	struct syscall_control *settings;
	const struct call_rule *rule;
	u32 call;
	u32 slot;
	u32 flags;  /* enum syscall_control_bits */
	u32 weight; /* 0: not picked */
};

/* True when the call is to be recorded; otherwise it has been counted. */
INLINE bool admit(struct admission *admission, s64 number, bool compat)
{
	const struct economy *how = thrift();
	u32 zero = 0;

	admission->weight = 1;
	admission->settings = bpf_map_lookup_elem(&control, &zero);
	if (!admission->settings || !how)
		return 0; /* arrays: cannot happen */
	if (UNLIKELY(READ_ONCE(admission->settings->paused))) {
		COUNT(paused);
		return 0;
	}
	if (!process_wanted(bpf_get_current_pid_tgid() >> 32)) {
		COUNT(excluded);
		return 0;
	}
	admission->flags = READ_ONCE(admission->settings->flags);
	admission->call = call_of(number, compat);
	admission->slot = slot_of(admission->call);
	admission->rule = bpf_map_lookup_elem(&rules, &admission->slot);
	if (!admission->rule)
		return 0;
	if (admission->flags & SYSCALLS_ALLOW_LIST ? admission->rule->verdict != RULE_ALLOW
						   : admission->rule->verdict == RULE_DENY) {
		COUNT(filtered);
		return 0;
	}
	admission->weight = economy_weight(how);
	if (UNLIKELY(admission->weight == 0)) {
		COUNT(sampled_out);
		return 0;
	}
	return 1;
}

static NOINLINE int keep_exec_path(u64 from)
{
	static const struct exec_path empty;
	struct exec_path *path;
	u64 task = bpf_get_current_task();

	if (bpf_map_update_elem(&exec_paths, &task, &empty, UPDATE_ANY) != 0)
		return 0;
	path = bpf_map_lookup_elem(&exec_paths, &task);
	if (path)
		read_user_text(path->text, sizeof(path->text), (const void *)from);
	return 0;
}

/* A call that will not return is complete now. */
static NOINLINE int end_now(void *context, struct thread_call *thread, u32 results, u64 now)
{
	struct matrix_key key = { .error = NEVER_RETURNED };
	bool complete = 1;

	if (!thread)
		return 0;
	thread->entered = 0;
	/* Without a result it is not what was asked for. */
	if (results & (SYSCALLS_FAILED | SYSCALLS_ERRNOS | SYSCALLS_SLOW))
		return 0;
	if (syscall_flags & (SYSCALLS_BY_PROCESS | SYSCALLS_BY_CGROUP)) {
		key.id = owner(thread->process);
		key.call = thread->call;
		complete = add_to_matrix(&key, 0, thread->weight);
	}
	if (syscall_flags & (SYSCALLS_EVENTS_FAILED | SYSCALLS_EVENTS_SLOW))
		COUNT(events_unwanted);
	else if (syscall_flags & SYSCALLS_EVENTS)
		complete = send_event(context, thread, 0, now, 0) != 0 && complete;
	if (!complete)
		COUNT(lost);
	return 0;
}

/* Counts the call and remembers its start; `registers` or, without, `arguments` has its arguments. */
INLINE int begin(void *context, const struct admission *admission, struct thread_call *thread,
		 const struct task_struct___calls *task, const void *registers, const u64 *arguments)
{
	struct call_totals *total;
	u64 now;

	if (!thread) {
		COUNT(thread_lost);
		return 0;
	}
	total = bpf_map_lookup_elem(&totals, &admission->slot);
	if (!total)
		return 0;
	total->enters += admission->weight;
	if (UNLIKELY(admission->weight > 1))
		COUNT_MORE(enters_added, admission->weight - 1);
	thread->weight = admission->weight;
	thread->call = admission->call;
	if (thread->process == 0)
		thread->process = identify(task, bpf_get_current_pid_tgid() >> 32);
	if (syscall_flags & SYSCALLS_EVENTS) {
		if (registers)
			arguments_of(registers, (admission->call & CALL_COMPAT) != 0,
				     thread->arguments);
		else
			__builtin_memcpy(thread->arguments, arguments, 6 * sizeof(u64));
		if (admission->rule->flags & CALL_REPLACES_PROGRAM)
			keep_exec_path(argument(thread, admission->rule->text[0]));
	}
	/* Last, so that our own work is not in the call's time. */
	now = bpf_ktime_get_ns();
	thread->entered = now;
	if (UNLIKELY(admission->settings->first_enter == 0))
		admission->settings->first_enter = now;
	if (UNLIKELY(admission->rule->flags & CALL_NEVER_RETURNS))
		end_now(context, thread, admission->flags, now);
	return 0;
}

#endif
