/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocator's functions, as user probes. A call is remembered at its entry and recorded at its
 * return; free is recorded at its entry, or a few instructions later.
 *
 * Allocators call their own public functions (calloc malloc, realloc free, …). A call is nested when
 * the stack pointer lies below that of the call in progress, since the stack grows down. One that is
 * higher up, or far below, means that the earlier call will never return (longjmp out of it).
 */
#ifndef SWIFT_EBPF_MEMORY_ALLOCATOR_H
#define SWIFT_EBPF_MEMORY_ALLOCATOR_H

#include "memory_blocks.h"
#include "memory_stacks.h"
#include "registers.h"

/* No allocator needs so much stack between its entry and its own calls. */
#define ALLOCATOR_STACK (256 * 1024)

enum allocator_function {
	FUNCTION_MALLOC = 1,
	FUNCTION_CALLOC,
	FUNCTION_REALLOC,
	FUNCTION_REALLOCARRAY,
	FUNCTION_POSIX_MEMALIGN,
	FUNCTION_MEMALIGN,
	FUNCTION_ALIGNED_ALLOC,
	FUNCTION_PAGES,
};

/* True when the probed function was called by the one that the thread is in. */
INLINE bool is_nested(struct memory_thread *thread, u64 stack_pointer, u32 function,
		      struct memory_counters *count)
{
	if (thread->stack_pointer == 0)
		return 0;
	if (stack_pointer < thread->stack_pointer &&
	    thread->stack_pointer - stack_pointer < ALLOCATOR_STACK)
		return 1;
	if (stack_pointer == thread->stack_pointer && function != thread->function) {
		/* A jump in place of a call: it returns for both. */
		if (function != 0)
			thread->tail_calls++;
		return 1;
	}
	thread->stack_pointer = 0;
	ADD_ONE(&count->abandoned);
	return 0;
}

/* A function that allocates was entered: asks for `size` bytes, about `pointer`. Other than 0 when
 * nothing will be done at its return. */
static NOINLINE int enter_allocator(void *context, u32 function, u64 size, u64 pointer)
{
	u64 pid_tgid = bpf_get_current_pid_tgid();
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	u64 sp = stack_pointer(context);
	struct memory_address address = {};
	struct memory_thread *thread;
	bool wanted;

	if (!control || !count || READ_ONCE(control->paused) == MEMORY_IDLE)
		return 1;
	wanted = process_wanted(pid_tgid >> 32);
	if (!wanted) {
		ADD_ONE(&count->filtered);
		if (!(READ_ONCE(control->flags) & MEMORY_KEEP_TRACK))
			return 1;
	}
	thread = thread_entry(pid_tgid, count);
	if (!thread) {
		if (wanted)
			ADD_ONE(&count->threads_lost);
		return 1;
	}
	if (is_nested(thread, sp, function, count)) {
		if (wanted)
			ADD_ONE(&count->nested);
		/* The return of a jump is needed to know the other's. */
		return sp != thread->stack_pointer;
	}
	thread->stack_pointer = sp;
	note_return_address(thread);
	thread->function = function;
	thread->size = size;
	thread->pointer = pointer;
	thread->tail_calls = 0;
	thread->flags = 0;
	if (!wanted) {
		thread->flags |= CALL_UNWANTED | CALL_RELEASES;
	} else if (READ_ONCE(control->paused)) {
		ADD_ONE(&count->paused);
		thread->flags |= CALL_UNWANTED | CALL_RELEASES;
	} else if (!is_picked(thread, size, control->sample_bytes)) {
		ADD_ONE(&count->sampled_out);
		thread->flags |= CALL_UNWANTED;
	}
	if ((function == FUNCTION_REALLOC || function == FUNCTION_REALLOCARRAY) && pointer != 0) {
		address.process = thread->process;
		address.address = pointer;
		if (take_block(&address, &thread->old))
			thread->flags |= CALL_TOOK_BLOCK;
	}
	return 0;
}

/* What became of the block that realloc was given. */
INLINE void settle_old_block(const struct memory_control *control, struct memory_thread *thread,
			     u64 result, struct memory_counters *count)
{
	struct memory_address address = {};

	if (!(thread->flags & CALL_TOOK_BLOCK)) {
		if (result == 0 || thread->pointer == 0 || (thread->flags & CALL_UNWANTED))
			return;
		if (READ_ONCE(control->flags) & MEMORY_PICKS)
			ADD_ONE(&count->sampled_out);
		else
			ADD_ONE(&count->unknown_frees);
		return;
	}
	/* It failed, and the block is as it was; for size 0, nothing means that it was freed. */
	if (result == 0 && thread->size != 0) {
		address.process = thread->process;
		address.address = thread->pointer;
		put_block(&address, &thread->old, control, count);
		return;
	}
	if (thread->flags & CALL_RELEASES)
		count_release(control, &thread->old, count);
	else
		count_free(control, &thread->old, count);
}

/* A function that allocates returned. The thread, with the block in `pointer`, where that is to be
 * recorded; otherwise NULL. */
static NOINLINE struct memory_thread *leave_allocator(void *context)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct memory_thread *thread = bpf_map_lookup_elem(&threads, &tid);
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	u64 sp = stack_pointer(context), result;

	if (!thread || !control || !count || thread->stack_pointer == 0)
		return NULL;
	/* x86_64 has taken the return address off the stack by now. */
	if (ON_X86_64 ? sp <= thread->stack_pointer : sp < thread->stack_pointer)
		return NULL;
	if (thread->tail_calls != 0) {
		thread->tail_calls--;
		return NULL;
	}
	thread->stack_pointer = 0;
	result = returned_value(context);
	if (thread->function == FUNCTION_POSIX_MEMALIGN) {
		/* It returns an error number, and the block through a pointer. */
		u64 block_address = 0;

		if ((u32)result != 0 ||
		    bpf_probe_read_user(&block_address, sizeof(block_address),
					(const void *)thread->pointer) != 0)
			block_address = 0;
		result = block_address;
	}
	if (thread->function == FUNCTION_REALLOC || thread->function == FUNCTION_REALLOCARRAY)
		settle_old_block(control, thread, result, count);
	if (thread->flags & CALL_UNWANTED)
		return NULL;
	if (result == 0) {
		if (thread->size != 0 || thread->pointer == 0)
			ADD_ONE(&count->failures);
		return NULL;
	}
	thread->pointer = result;
	return thread;
}

/* Records the block that the current thread got. Calls below it are deep, so the block is made where its
 * call kept the old one and not on the stack: all frames together have half a kilobyte. */
static NOINLINE int record_allocation(void *context, struct memory_thread *thread)
{
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_block *block = &thread->old;
	struct memory_address address = {};
	struct memory_site site = {};
	u64 weight;

	if (!control || !count)
		return 0; /* arrays: cannot happen */
	block->size = thread->size;
	block->time = bpf_ktime_get_ns();
	block->tid = bpf_get_current_pid_tgid();
	block->factor = thread->factor;
	block->weighted = 0;
	weight = block_weight(control, block->factor);
	note_first_event(count, block->time);
	if (!process_entry(&thread->process, count))
		ADD_ONE(&count->processes_lost);
	site.process = thread->process;
	site.kind = SITE_ALLOCATION;
	if (control->sample_bytes != 0) {
		site.size = block->size;
		site.factor = block->factor;
	}
	take_site_stack(context, &site, thread, control, count);
	block->stack = site.stack;
	count_at(&site, weight, block->size * weight, count);
	ADD(&count->allocations, weight);
	ADD(&count->allocated_bytes, block->size * weight);
	if (UNLIKELY(weight > 1))
		ADD(&count->allocations_added, weight - 1);
	address.process = thread->process;
	address.address = thread->pointer;
	put_block(&address, block, control, count);
	return 0;
}

/* A block was freed: takes it out of `live`. */
static NOINLINE int free_block(const struct memory_address *address, bool wanted,
			       const struct memory_control *control,
			       struct memory_counters *count)
{
	struct memory_block block;

	if (!take_block(address, &block)) {
		if (!wanted)
			return 0;
		if (READ_ONCE(control->paused))
			ADD_ONE(&count->paused);
		else
			count_unknown_free(control, count);
		return 0;
	}
	if (!wanted || READ_ONCE(control->paused))
		count_release(control, &block, count);
	else
		count_free(control, &block, count);
	return 0;
}

/* free was entered, or got past its first instructions, which leave its argument alone. */
static NOINLINE int enter_free(void *context)
{
	u64 pid_tgid = bpf_get_current_pid_tgid();
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_address address = {};
	struct memory_thread *thread;
	bool wanted;

	if (!control || !count || READ_ONCE(control->paused) == MEMORY_IDLE)
		return 0;
	wanted = process_wanted(pid_tgid >> 32);
	if (!wanted) {
		ADD_ONE(&count->filtered);
		if (!(READ_ONCE(control->flags) & MEMORY_KEEP_TRACK))
			return 0;
	}
	address.address = first_argument(context);
	if (address.address == 0) {
		if (wanted)
			ADD_ONE(&count->null_frees);
		return 0;
	}
	thread = thread_entry(pid_tgid, count);
	if (!thread) {
		if (wanted)
			ADD_ONE(&count->threads_lost);
		return 0;
	}
	if (is_nested(thread, stack_pointer(context), 0, count)) {
		if (wanted)
			ADD_ONE(&count->nested);
		return 0;
	}
	address.process = thread->process;
	return free_block(&address, wanted, control, count);
}

#endif
