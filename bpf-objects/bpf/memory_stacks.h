/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where memory is asked for: user stacks, by frame pointers, or in memory_walking.bpf.c by unwind rows.
 */
#ifndef SWIFT_EBPF_MEMORY_STACKS_H
#define SWIFT_EBPF_MEMORY_STACKS_H

#include "memory_state.h"

#ifdef MEMORY_WALKS
#include "stack_walk.h"

_Static_assert(WALK_ENDS == MEMORY_WALK_ENDS, "memory_counters has room for each end");
_Static_assert(WALK_DEPTH == STACK_DEPTH, "a stack has room for a walk");
_Static_assert(__builtin_offsetof(struct memory_thread, return_address) ==
		       __builtin_offsetof(struct memory_thread, stack_pointer) +
			       __builtin_offsetof(struct walk_return, address),
	       "a thread has a struct walk_return");

/* Keeps where the allocator that was just entered will return to: its return probe takes the place of
 * that address on the stack, and what happens inside is walked past it. */
INLINE void note_return_address(struct memory_thread *thread)
{
	thread->return_address = 0;
	bpf_probe_read_user(&thread->return_address, sizeof(thread->return_address),
			    (const void *)thread->stack_pointer);
}

/* Code that was loaded since the reader looked at the process: has it look again, at the 1st, 2nd, 4th …
 * such stack. */
INLINE void report_stray(const struct process_id *id, struct memory_counters *count)
{
	struct memory_process *process = bpf_map_lookup_elem(&processes, id);
	u64 strays;

	if (!process)
		return;
	ADD_ONE(&process->strays);
	strays = READ_ONCE(process->strays);
	if ((strays & (strays - 1)) == 0)
		announce(id, 0, 0, bpf_ktime_get_ns(), count);
}

/* Until the reader has made the rows that one walk asked for, every other one lacks them too. */
#define ASK_INTERVAL 1000000 /* ns */

INLINE void ask_for_rows(const struct process_id *id, u64 wanted, struct memory_counters *count)
{
	struct memory_process *process = bpf_map_lookup_elem(&processes, id);
	u64 now = bpf_ktime_get_ns();

	if (!process || now - READ_ONCE(process->asked) < ASK_INTERVAL)
		return;
	WRITE_ONCE(process->asked, now);
	announce(id, 0, wanted, now, count);
}

/* Counts how a walk ended, and tells the reader what it lacked. */
static NOINLINE int report_walk(const struct process_id *id, u32 end,
				const struct walk_result *walk, struct memory_counters *count)
{
	if (end >= WALK_ENDS)
		return 0; /* cannot happen */
	ADD_ONE(&count->walks[end]);
	ADD(&count->guessed_frames, walk->guesses);
	if (walk->wanted)
		ask_for_rows(id, walk->wanted, count);
	if (end == WALK_NO_MAPPING)
		report_stray(id, count);
	return 0;
}

/* Takes the current user stack by unwind rows into `stack`. False while the reader has no rows for the
 * process. */
INLINE bool walk_stack(struct stack_event *stack, const struct memory_thread *thread,
		       struct memory_counters *count)
{
	struct walk_result walk;
	u32 end;

	end = walk_user_stack(stack->addresses, &thread->process,
			      (const struct walk_return *)&thread->stack_pointer, &walk);
	report_walk(&thread->process, end, &walk, count);
	if (end == WALK_NO_PROCESS)
		return 0;
	stack->depth = walk.depth;
	stack->flags = end == WALK_COMPLETE ? 0 : end == WALK_TOO_DEEP ? STACK_CUT : STACK_BROKEN;
	return walk.depth != 0;
}
#else
INLINE void note_return_address(struct memory_thread *thread) {}

#endif

/* Takes the current user stack and leaves its id in `stack_id`, when it is KNOWN or SENT. */
static NOINLINE int capture_stack(void *context, const struct memory_thread *thread,
				  const struct memory_control *control,
				  struct memory_counters *count, struct stack_id *stack_id)
{
	struct stack_space *space;
	u64 number;
	int outcome;

	space = claim_stack(&number, &count->stacks);
	if (!space)
		return STACK_LOST;
#ifdef MEMORY_WALKS
	if (!walk_stack(&space->stacks[number], thread, count))
#endif
		read_stack(context, &space->stacks[number], &control->stacks);
	outcome = send_stack(&space->stacks[number], number, &control->stacks, &count->stacks);
	release_stack(space, number, outcome, stack_id);
	return outcome;
}

/* Takes the stack of the current thread, which is `thread`, for a site, and announces its process at the
 * 1st, 2nd, 4th … new one: a stack nobody has seen may lie in a library nobody has seen. */
INLINE void take_site_stack(void *context, struct memory_site *site,
			    const struct memory_thread *thread,
			    const struct memory_control *control, struct memory_counters *count)
{
	struct memory_process *process;

	site->stack.low = 0;
	site->stack.high = 0;
	if (READ_ONCE(control->flags) & MEMORY_NO_STACKS)
		return;
	if (capture_stack(context, thread, control, count, &site->stack) != STACK_SENT)
		return;
	process = bpf_map_lookup_elem(&processes, &site->process);
	if (!process)
		return;
	ADD_ONE(&process->stacks);
	if ((process->stacks & (process->stacks - 1)) == 0)
		announce(&site->process, 0, 0, bpf_ktime_get_ns(), count);
}

#endif
