/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call as an event, with what its pointers lead to and its stack.
 */
#ifndef SWIFT_EBPF_SYSCALL_SENDING_H
#define SWIFT_EBPF_SYSCALL_SENDING_H

#include "syscall_counting.h"
#include "thread_context.h"

/* A reader sleeps until enough is there to be worth its while, and looks now and then. */
INLINE u64 wake_flags(void)
{
	return bpf_ringbuf_query(&events, RING_AVAILABLE) >= bpf_ringbuf_query(&events, RING_SIZE) / 4
		       ? RING_FORCE_WAKEUP
		       : RING_NO_WAKEUP;
}

INLINE u64 argument(const struct thread_call *thread, u32 number)
{
	u64 index = number - 1;

	/* Hidden from the compiler, which would check one register and use another. */
	asm volatile("%0 &= 7" : "+r"(index));
	return thread->arguments[index];
}

/* Reads a text; its length, 0 when it cannot be read. */
INLINE u32 read_text(char *to, u64 from, u32 *flags, u32 cut)
{
	long length;
	char next = 0;

	if (from == 0)
		return 0;
	length = read_user_text(to, EVENT_TEXT, (const void *)from);
	if (length <= 0 || length > EVENT_TEXT)
		return 0;
	if (length == EVENT_TEXT &&
	    bpf_probe_read_user(&next, 1, (const void *)(from + EVENT_TEXT - 1)) == 0 && next != 0) {
		*flags |= cut;
		COUNT(texts_cut);
	}
	return (u32)length;
}

INLINE u32 read_address(struct syscall_event *event, const struct thread_call *thread,
			const struct call_rule *rule)
{
	u64 from = argument(thread, rule->address);
	u64 length = argument(thread, rule->address_length);
	u32 size = 0;

	if (from == 0)
		return 0;
	if (rule->flags & CALL_ADDRESS_OUT) {
		if (event->result < 0 || length == 0 ||
		    bpf_probe_read_user(&size, sizeof(size), (const void *)length) != 0)
			return 0;
	} else {
		size = length > 128 ? 128 : (u32)length;
	}
	if (size > 128) /* sizeof(struct sockaddr_storage) */
		size = 128;
	if (size == 0 || bpf_probe_read_user(event->first, size, (const void *)from) != 0)
		return 0;
	return size;
}

INLINE u32 read_data(struct syscall_event *event, const struct thread_call *thread,
		     const struct call_rule *rule)
{
	u64 from = argument(thread, rule->data);
	u64 length;

	if (from == 0)
		return 0;
	if ((rule->flags & CALL_DATA_OUT) && event->result < 0)
		return 0;
	if (rule->data_bytes)
		length = rule->data_bytes;
	else if (rule->data_length)
		length = argument(thread, rule->data_length);
	else
		length = (u64)event->result;
	if (length > EVENT_DATA)
		length = EVENT_DATA;
	if (length == 0 || bpf_probe_read_user(event->second, (u32)length, (const void *)from) != 0)
		return 0;
	return (u32)length;
}

/* The texts and data that the arguments point to. */
INLINE void read_pointers(struct syscall_event *event, const struct thread_call *thread,
			  const struct call_rule *rule)
{
	const struct exec_path *path = NULL;
	u64 task;
	long length;

	if (rule->flags & CALL_REPLACES_PROGRAM) {
		task = bpf_get_current_task();
		path = bpf_map_lookup_elem(&exec_paths, &task);
	}
	if (path) {
		if (event->result == 0) {
			length = read_kernel_text(event->first, EVENT_TEXT, path->text);
			event->length[0] = length > 0 && length <= EVENT_TEXT ? length : 0;
		}
		bpf_map_delete_elem(&exec_paths, &task);
		if (event->result == 0)
			return;
	}
	if (rule->text[0]) {
		event->length[0] = read_text(event->first, argument(thread, rule->text[0]),
					     &event->flags, EVENT_TEXT_CUT);
	} else if (rule->address) {
		event->length[0] = read_address(event, thread, rule);
		event->flags |= EVENT_IS_ADDRESS;
	}
	if (rule->text[1]) {
		event->length[1] = read_text(event->second, argument(thread, rule->text[1]),
					     &event->flags, EVENT_SECOND_TEXT_CUT);
	} else if (rule->data) {
		event->length[1] = read_data(event, thread, rule);
		event->flags |= EVENT_IS_DATA;
	}
}

INLINE bool wants_stack(const struct syscall_control *settings, s64 result, u64 duration)
{
	const struct economy *how = thrift();

	if (!(syscall_flags & SYSCALLS_STACKS) || !how || (how->flags & ECONOMY_NO_STACKS))
		return 0;
	return (result < 0 && result >= -MAX_ERRNO) || duration >= settings->stack_latency_ns;
}

/* Puts the span that the thread is at work on into the event in the scratch space. Global, so that the
 * verifier looks at it once. */
NOINLINE int find_span(void)
{
	const struct task_struct___calls *task = (const void *)bpf_get_current_task();
	const struct task_struct___calls *leader;
	const struct thread_context *place;
	struct syscall_event *event;
	u64 start = 0;
	u32 zero = 0;
	int status;

	event = bpf_map_lookup_elem(&scratch, &zero);
	if (!event)
		return 0; /* an array: cannot happen */
	if (core_read(&leader, task, group_leader) != 0 ||
	    core_read(&start, leader, start_boottime) != 0)
		return 0;
	place = context_of(event->tgid, start, image_of(task));
	if (!place)
		return 0;
	status = read_span(place, &event->span);
	if (status > 0)
		COUNT(spans_found);
	else if (status < 0)
		COUNT(spans_unreadable);
	return status;
}

/* Sends a call that has just returned, or that never will; 0 when there was no room. */
static NOINLINE int send_event(void *context, const struct thread_call *thread, s64 result,
			       u64 entered, u64 duration)
{
	const struct syscall_control *settings;
	const struct call_rule *rule;
	struct syscall_event *event;
	u32 zero = 0, slot, length;
	u64 size, pid_tgid;
	long bytes;

	if (!thread)
		return 1;
	event = bpf_map_lookup_elem(&scratch, &zero);
	settings = bpf_map_lookup_elem(&control, &zero);
	slot = slot_of(thread->call);
	rule = bpf_map_lookup_elem(&rules, &slot);
	if (!event || !settings || !rule)
		return 1; /* arrays: cannot happen */

	pid_tgid = bpf_get_current_pid_tgid();
	event->entered = entered;
	event->duration = duration;
	event->result = result;
	event->process = thread->process;
	__builtin_memcpy(event->arguments, thread->arguments, sizeof(event->arguments));
	event->tgid = pid_tgid >> 32;
	event->tid = (u32)pid_tgid;
	event->call = thread->call;
	event->flags = rule->flags & CALL_NEVER_RETURNS ? 0 : EVENT_RETURNED;
	event->length[0] = 0;
	event->length[1] = 0;
	event->depth = 0;
	event->weight = thread->weight;
	__builtin_memset(&event->span, 0, sizeof(event->span));
	if (threads_tell())
		find_span();
	bpf_get_current_comm(event->command, sizeof(event->command));
	read_pointers(event, thread, rule);
	if ((event->flags & EVENT_RETURNED) && wants_stack(settings, result, duration)) {
		bytes = bpf_get_stack(context, event->stack, sizeof(event->stack), F_USER_STACK);
		if (bytes > 0 && bytes <= (long)sizeof(event->stack))
			event->depth = (u32)bytes / sizeof(u64);
		if (event->depth == EVENT_STACK) {
			event->flags |= EVENT_STACK_CUT;
			COUNT(stacks_cut);
		}
	}

	if (event->depth) {
		length = event->depth;
		if (length > EVENT_STACK)
			length = EVENT_STACK;
		size = __builtin_offsetof(struct syscall_event, stack) + length * sizeof(u64);
	} else if (event->length[1]) {
		length = event->length[1];
		if (length > EVENT_TEXT)
			length = EVENT_TEXT;
		size = __builtin_offsetof(struct syscall_event, second) + length;
	} else {
		length = event->length[0];
		if (length > EVENT_TEXT)
			length = EVENT_TEXT;
		size = __builtin_offsetof(struct syscall_event, first) + length;
	}
	if (bpf_ringbuf_output(&events, event, size, wake_flags()) != 0) {
		COUNT(events_lost);
		return 0;
	}
	COUNT(events_sent);
	return 1;
}

#endif
