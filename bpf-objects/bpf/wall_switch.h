/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts where a thread's time went when it leaves the CPU. Included once by an object, after
 * wall_threads.h.
 */
#ifndef SWIFT_EBPF_WALL_SWITCH_H
#define SWIFT_EBPF_WALL_SWITCH_H

#include "wall_counts.h"

/* When what a thread does now, or did before it arrived, began. */
INLINE u64 began(const struct thread_record *thread)
{
	return thread->left ? thread->left : 1;
}

/* Whether the last thing known of a thread is that it was not on a CPU. */
INLINE bool was_off(const struct thread_record *thread)
{
	return thread->left || thread->before > THREAD_RUNNING;
}

/* Adds to what a thread did in a state. The compiler must compare the very register that it then adds
 * to an address: verifiers before Linux 6.13 do not see that a copy of it is as small. */
INLINE void add_time(struct thread_record *thread, u64 state, u64 time)
{
	__asm__ volatile("" : "+r"(state));
	if (state < THREAD_STATES)
		thread->times[state] += time;
}

/* Counts the wait that ended when the thread arrived on its CPU: until it was woken it was blocked,
 * from then on others were running in its place. */
INLINE void count_wait(struct wall *wall, struct thread_record *thread)
{
	struct profiler_key *key = &wall->space->sample.key;
	u64 image = key->process.image;
	u64 from = began(thread), arrived = later(thread->arrived, from), woken = from;
	u32 state = thread->left ? thread->state : thread->before;
	u32 zero = 0, flags = thread->key_flags, runnable = THREAD_WOKEN;
	struct wall_wake_event *wake;

	if (!thread->left) {
		flags |= KEY_BEFORE;
		if (state <= THREAD_RUNNING)
			state = thread->woken ? THREAD_OTHER : THREAD_WOKEN;
	}
	if (state >= THREAD_SLEEPING && state < THREAD_STATES) {
		/* The wake-up may have come while the thread was on its way to sleep. */
		woken = later(from, thread->woken);
		if (woken > arrived)
			woken = arrived;
		add_time(thread, state, woken - from);
	} else if (state == THREAD_PREEMPTED) {
		runnable = THREAD_PREEMPTED;
	}
	add_time(thread, runnable, arrived - woken);

	key->user_stack = thread->user_stack;
	key->kernel_stack = thread->kernel_stack;
	key->process.image = thread->image;
	if (arrived - from < wall_min_wait) {
		flags = (flags & KEY_KERNEL_THREAD) | KEY_WAIT_SHORT;
		key->user_stack.low = key->user_stack.high = 0;
		key->kernel_stack.low = key->kernel_stack.high = 0;
		key->process.image = 0;
	}
	if (wall_takes_wakers && woken > from && !(flags & KEY_WAIT_SHORT)) {
		wake = bpf_map_lookup_elem(&wake_space, &zero);
		if (!wake)
			return; /* an array: cannot happen */
		wake->key.waker = thread->waker;
		count_wake(woken - from, flags | state << KEY_STATE_SHIFT);
	} else if (woken > from) {
		count_interval(woken - from, flags | state << KEY_STATE_SHIFT);
	}
	if (arrived > woken)
		count_interval(arrived - woken, flags | runnable << KEY_STATE_SHIFT);
	key->process.image = image;
}

/* Takes the stacks of the current thread, whose process is in the key. Returns the flags, and those of
 * enum profiler_key_bits that tell how it went. */
INLINE u32 take_stacks(void *context, struct scratch *space, struct stack_id *user_stack,
		       struct stack_id *kernel_stack, u32 flags, bool takes_kernel, bool walks)
{
	struct profiler_counters *count;
	const struct economy *thrift;
	u32 zero = 0;
	int outcome;

	count = bpf_map_lookup_elem(&counters, &zero);
	thrift = bpf_map_lookup_elem(&economy, &zero);
	if (!count || !thrift)
		return flags; /* arrays: cannot happen */
	if ((READ_ONCE(thrift->flags) & ECONOMY_NO_STACKS) || economy_weight(thrift) == 0)
		return flags | KEY_STACKS_LEFT_OUT;
	if (takes_kernel) {
		outcome = capture_taken(bpf_get_stack(context, space->stack.addresses,
						      sizeof(space->stack.addresses), 0), 0);
		if (outcome == CAPTURED)
			*kernel_stack = space->stack.id;
		else if (outcome == CAPTURE_LOST)
			flags |= KEY_KERNEL_STACK_LOST;
	}
	if (!(profiler_flags & PROFILER_NO_USER_STACKS) && space->sample.key.process.image != 0) {
		outcome = walks ? walk_and_send() : CAPTURE_UNKNOWN;
		if (outcome == CAPTURE_UNKNOWN)
			outcome = capture_taken(bpf_get_stack(context, space->stack.addresses,
							      sizeof(space->stack.addresses),
							      F_USER_STACK), F_USER_STACK);
		if (outcome == CAPTURED) {
			*user_stack = space->stack.id;
		} else if (outcome == CAPTURE_LOST) {
			flags |= KEY_USER_STACK_LOST;
		} else {
			flags |= KEY_USER_STACK_NONE;
			count->user_stacks_none++;
		}
	}
	return flags;
}

/* Fills the key in the scratch space with who the current thread is. Returns KEY_KERNEL_THREAD or 0.
 * Global, so that the verifier does not follow each answer on its own. */
NOINLINE u32 describe_current(void)
{
	const struct task_struct *task = (const struct task_struct *)bpf_get_current_task(), *leader;
	u64 pid_tgid = bpf_get_current_pid_tgid();
	u32 task_flags = 0, zero = 0;
	struct profiler_key *key;
	struct scratch *space;

	space = bpf_map_lookup_elem(&scratch, &zero);
	if (!space)
		return 0; /* an array: cannot happen */
	key = &space->sample.key;
	key->process.tgid = pid_tgid >> 32;
	key->process.start = 0;
	key->process.image = 0;
	key->process.padding = 0;
	key->tid = profiler_flags & PROFILER_PER_THREAD ? (u32)pid_tgid : 0;
	bpf_get_current_comm(key->command, sizeof(key->command));
	if (core_read(&leader, task, group_leader) == 0)
		core_read(&key->process.start, leader, start_boottime);
	core_read(&task_flags, task, flags);
	if (task_flags & PF_KTHREAD)
		return KEY_KERNEL_THREAD;
	key->process.image = image_of(task);
	return 0;
}

/* What the current thread waits for. Global for the same reason. */
NOINLINE u32 own_waiting_state(u64 state)
{
	return waiting_state((const struct task_struct___thread *)bpf_get_current_task(), state);
}

/* Sends the record of a thread that ends. */
INLINE void send_record(struct wall *wall, const struct thread_record *thread, u32 tid, u32 flags)
{
	struct wall_thread_event *event;

	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		wall->count->records_lost++;
#pragma clang loop unroll(full)
		for (int state = 0; state < THREAD_STATES; state++)
			wall->count->records_time += thread->times[state];
		return;
	}
	event->kind = WALL_THREAD_EVENT;
	event->flags = WALL_THREAD_ENDED | flags;
	event->tid = tid;
	event->state = 0;
	event->process = wall->space->sample.key.process;
	__builtin_memcpy(event->command, wall->space->sample.key.command, COMMAND_LENGTH);
	event->record = *thread;
	bpf_ringbuf_submit(event, 0);
}

/* The current thread leaves its CPU: counts its last wait and its run, takes its stacks. Returns true
 * when it will not come back. */
INLINE bool leave(void *context, struct wall *wall, struct thread_record *thread, bool preempt,
		  u64 state, bool walks)
{
	const struct task_struct *task = (const struct task_struct *)bpf_get_current_task();
	struct profiler_key *key = &wall->space->sample.key;
	struct profiler_counters *count;
	u64 pid_tgid = bpf_get_current_pid_tgid(), from, ran = 0, run;
	u32 zero = 0, tgid = pid_tgid >> 32, kind = 0, why;
	bool is_wanted;

	count = bpf_map_lookup_elem(&counters, &zero);
	if (!count)
		return 0; /* an array: cannot happen */
	why = preempt || state == 0 ? THREAD_PREEMPTED : own_waiting_state(state);
	is_wanted = thread->verdict ? thread->verdict == VERDICT_WANTED : wanted(tgid);
	if (is_wanted || why == THREAD_DEAD)
		kind = describe_current();
	wall->now = later(wall->now, began(thread));
	core_read(&ran, (const struct task_struct___thread *)task, se.sum_exec_runtime);
	if (is_wanted) {
		from = began(thread);
		if (!thread->arrived && was_off(thread)) {
			/* A switch that this program did not run for. */
			run = ran - thread->ran;
			thread->arrived = wall->now - from > run ? wall->now - run : from;
			/* Nor was who woke it seen: until then it waited. */
			if (thread->woken < from)
				thread->woken = thread->arrived;
			if (!wall->paused)
				wall->count->inferred++;
		}
		if (thread->arrived) {
			count_wait(wall, thread);
			from = later(from, thread->arrived);
		}
		wall->now = later(wall->now, from);
		thread->times[THREAD_RUNNING] += wall->now - from;
		if (!wall->paused) {
			if (wall->count->first_event == 0)
				wall->count->first_event = bpf_ktime_get_ns();
			wall->count->switches++;
			if (why == THREAD_PREEMPTED)
				thread->involuntary++;
			else
				thread->voluntary++;
		}
	} else if (!wall->paused) {
		wall->count->unwanted++;
	}

	thread->waker.flags = 0;
	thread->left = wall->now;
	thread->arrived = 0;
	thread->ran = ran;
	thread->state = why;
	thread->image = 0;
	thread->user_stack.low = thread->user_stack.high = 0;
	thread->kernel_stack.low = thread->kernel_stack.high = 0;
	thread->key_flags = kind | (wall->paused ? KEY_BEFORE : 0);
	if (why == THREAD_DEAD) {
		/* Also what it did while it was wanted. */
		if (is_wanted || thread->times[THREAD_RUNNING])
			send_record(wall, thread, pid_tgid, kind ? WALL_THREAD_KERNEL : 0);
		return 1;
	}
	if (is_wanted && !wall->paused) {
		if (key->process.image != 0)
			meet(&key->process, bpf_ktime_get_ns(), count);
		thread->key_flags = take_stacks(context, wall->space, &thread->user_stack,
						&thread->kernel_stack, thread->key_flags,
						!(profiler_flags & PROFILER_NO_KERNEL_STACKS),
						walks);
		if (!(thread->key_flags & KEY_STACKS_LEFT_OUT))
			thread->image = key->process.image;
	}
	return 0;
}

/* A thread comes onto the CPU. */
INLINE void arrive(struct wall *wall, struct thread_record *thread)
{
	thread->arrived = wall->now;
}

/* Somebody wakes a thread. False where it had not left its CPU: it is only kept from going to sleep,
 * or on its way, and then it will not have waited. */
INLINE bool wake(struct wall *wall, struct thread_record *thread)
{
	if (thread->arrived)
		return 0;
	thread->woken = wall->now;
	return 1;
}

/* Keeps who the current thread is, and its stacks, as the waker of another. Runs with interrupts off,
 * as sched_switch does. */
INLINE void keep_waker(void *context, struct wall *wall, struct thread_record *thread,
		       const struct task_struct *woken, bool walks)
{
	struct scratch *space = wall->space;
	struct profiler_key *key = &space->sample.key;
	struct profiler_counters *count;
	u32 zero = 0, flags;

	count = bpf_map_lookup_elem(&counters, &zero);
	if (!count)
		return; /* an array: cannot happen */
	thread->waker.flags = 0;
	if (wall->paused || wall->now - began(thread) < wall_min_wait ||
	    (u64)woken == bpf_get_current_task() ||
	    !task_wanted(woken))
		return;
	flags = describe_current() | KEY_WAKER;
	key->user_stack.low = key->user_stack.high = 0;
	key->kernel_stack.low = key->kernel_stack.high = 0;
	if (key->process.image != 0)
		meet(&key->process, bpf_ktime_get_ns(), count);
	/* The kernel's part tells an interrupt from the thread itself, also where nobody wants to see it. */
	key->flags = take_stacks(context, space, &key->user_stack, &key->kernel_stack, flags, 1, walks);
	thread->waker = *key;
}

INLINE u32 id_of(u64 task)
{
	u32 id = 0;

	core_read(&id, (const struct task_struct___thread *)task, pid);
	return id;
}

#endif
