/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is inside a call now: an iterator over tasks.
 */
#ifndef SWIFT_EBPF_SYSCALL_LISTING_H
#define SWIFT_EBPF_SYSCALL_LISTING_H

#include "syscall_numbers.h"
#include "task_filter.h"

/* Writes a struct waiting_call for every thread that sleeps in a call, or that has not returned from
 * one that was recorded. Needs Linux 5.15. */
SEC("iter/task")
int list_calls(struct bpf_iter__task___calls *context)
{
	struct task_struct___calls *task = context->task;
	struct waiting_call call = {};
	const struct call_rule *rule;
	const struct syscall_control *settings;
	const struct thread_call *thread;
	unsigned int flags = 0, state = 0;
	u32 zero = 0, slot;
	s64 number = 0;

	if (!task)
		return 0;
	core_read(&flags, task, flags);
	if (flags & PF_KTHREAD)
		return 0;
	core_read(&call.tgid, task, tgid);
	core_read(&call.tid, task, pid);
	core_read(&call.command, task, comm);
	thread = storage_of_task(&threads, task, NULL, 0);
	settings = bpf_map_lookup_elem(&control, &zero);
	if (thread && thread->entered && settings && thread->entered >= settings->since) {
		call.entered = thread->entered;
		call.call = thread->call;
	} else {
		core_read(&state, task, __state);
		if (!(state & TASK_SLEEPS) || !number_of(bpf_task_pt_regs(task), &number))
			return 0;
		call.call = call_of(number, is_compat(task, 0));
	}
	slot = slot_of(call.call);
	rule = bpf_map_lookup_elem(&rules, &slot);
	if (!rule || !settings)
		return 0;
	if (settings->flags & SYSCALLS_ALLOW_LIST ? rule->verdict != RULE_ALLOW
						  : rule->verdict == RULE_DENY)
		return 0;
	if (task_wanted(task))
		write_sequence(context->meta->seq, &call, sizeof(call));
	return 0;
}

#endif
