/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts and times system calls where they happen, and on request sends each one with its
 * arguments. The contract with user space is in syscall_events.h.
 *
 * Each pair of programs does the same with other means: BTF tracepoints, raw tracepoints (both keep
 * a thread's start in task storage, Linux 5.12), raw tracepoints and perf tracepoints with a hash.
 */
#include "syscall_end.h"
#include "syscall_listing.h"

/* ---- Programs: task storage. ---- */

/* Arguments of a raw tracepoint: one 64-bit word each. */
struct raw_arguments {
	u64 args[2];
};

INLINE int enter_with_storage(struct raw_arguments *context)
{
	struct task_struct___calls *task = bpf_get_current_task_btf();
	struct admission admission;

	if (!admit(&admission, (s64)context->args[1], is_compat(task, 1)))
		return 0;
	return begin(context, &admission, storage_of_task(&threads, task, NULL, STORAGE_CREATE), task,
		     (const void *)context->args[0], NULL);
}

/* The clock is read only for calls that are recorded: it costs more than all the rest. The look-up
 * before it, some 30 ns, is in every duration. */
INLINE int exit_with_storage(struct raw_arguments *context, bool typed)
{
	struct task_struct___calls *task = bpf_get_current_task_btf();
	struct thread_call *thread = storage_of_task(&threads, task, NULL, 0);
	s64 number = 0;

	if (LIKELY(thread && thread->entered))
		return end(context, thread, (s64)context->args[1], bpf_ktime_get_ns());
	if (typed ? typed_number_of((const void *)context->args[0], &number)
		  : number_of((const void *)context->args[0], &number))
		count_unpaired(number, is_compat(task, 1), (s64)context->args[1]);
	return 0;
}

SEC("tp_btf/sys_enter")
int enter_typed(struct raw_arguments *context)
{
	return enter_with_storage(context);
}

SEC("tp_btf/sys_exit")
int exit_typed(struct raw_arguments *context)
{
	return exit_with_storage(context, 1);
}

SEC("raw_tp/sys_enter")
int enter_raw(struct raw_arguments *context)
{
	return enter_with_storage(context);
}

SEC("raw_tp/sys_exit")
int exit_raw(struct raw_arguments *context)
{
	return exit_with_storage(context, 0);
}

/* ---- Programs: a hash by task address. A thread that was killed inside a call leaves its entry
 * behind, until its memory is another thread, whose first enter replaces it. ---- */

INLINE int enter_with_table(void *context, s64 number, const void *registers, const u64 *arguments)
{
	static const struct thread_call empty;
	const struct task_struct___calls *task = (const void *)bpf_get_current_task();
	struct admission admission;
	struct thread_call *thread;
	u64 key = (u64)task;

	if (!admit(&admission, number, is_compat(task, 0))) {
		if (admission.weight == 0)
			bpf_map_delete_elem(&thread_table, &key);
		return 0;
	}
	bpf_map_update_elem(&thread_table, &key, &empty, UPDATE_ANY);
	thread = bpf_map_lookup_elem(&thread_table, &key);
	begin(context, &admission, thread, task, registers, arguments);
	if (admission.rule->flags & CALL_NEVER_RETURNS)
		bpf_map_delete_elem(&thread_table, &key);
	return 0;
}

INLINE int exit_with_table(void *context, s64 number, s64 result)
{
	const struct task_struct___calls *task = (const void *)bpf_get_current_task();
	u64 key = (u64)task, now = bpf_ktime_get_ns();
	struct thread_call *thread = bpf_map_lookup_elem(&thread_table, &key);
	bool compat = is_compat(task, 0);

	if (thread && thread->entered && thread->call == call_of(number, compat)) {
		end(context, thread, result, now);
		bpf_map_delete_elem(&thread_table, &key);
		return 0;
	}
	return count_unpaired(number, compat, result);
}

SEC("raw_tp/sys_enter")
int enter_table(struct raw_arguments *context)
{
	return enter_with_table(context, (s64)context->args[1], (const void *)context->args[0], NULL);
}

SEC("raw_tp/sys_exit")
int exit_table(struct raw_arguments *context)
{
	s64 number = 0;

	number_of((const void *)context->args[0], &number);
	return exit_with_table(context, number, (s64)context->args[1]);
}

/* /sys/kernel/tracing/events/raw_syscalls/{sys_enter,sys_exit}/format */
struct enter_record {
	u64 common;
	s64 number;
	u64 arguments[6];
};

struct exit_record {
	u64 common;
	s64 number;
	s64 result;
};

SEC("tracepoint/raw_syscalls/sys_enter")
int enter_perf(struct enter_record *context)
{
	u64 arguments[6];

	__builtin_memcpy(arguments, context->arguments, sizeof(arguments));
	return enter_with_table(context, context->number, NULL, arguments);
}

SEC("tracepoint/raw_syscalls/sys_exit")
int exit_perf(struct exit_record *context)
{
	return exit_with_table(context, context->number, context->result);
}

LICENSE("GPL");
