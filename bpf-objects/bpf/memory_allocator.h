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

#include "memory_sampling.h"
#include "memory_state.h"
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

/* Takes a block out of `live`; false when it is not there. */
INLINE bool take_block(const struct memory_address *address, struct memory_block *to)
{
	struct memory_block *block = bpf_map_lookup_elem(&live, address);

	if (!block)
		return 0;
	*to = *block;
	/* Of two threads that free the same block only one succeeds. */
	return bpf_map_delete_elem(&live, address) == 0;
}

/* For how many a block stands in the counters; where bytes are picked user space weighs them. */
INLINE u64 block_weight(const struct memory_control *control, u32 factor)
{
	return control->sample_bytes == 0 && factor > 1 ? factor : 1;
}

/* The same, also where the process says how many bytes it stands for. */
INLINE u64 block_count(const struct memory_control *control, const struct memory_block *block)
{
	u64 count;

	if (LIKELY(block->weighted == 0))
		return block_weight(control, block->factor);
	if (block->size == 0)
		return 1;
	/* The nearest whole number of blocks. */
	count = block->weighted / block->size;
	if (block->weighted % block->size >= block->size - block->size / 2)
		count++;
	return count ? count : 1;
}

INLINE u64 block_bytes(const struct memory_control *control, const struct memory_block *block)
{
	return block->weighted ? block->weighted :
				 block->size * block_weight(control, block->factor);
}

/* Puts a block into `live`; one that was there has been freed where nobody looked. */
static NOINLINE int put_block(const struct memory_address *address,
			      const struct memory_block *block,
			      const struct memory_control *control, struct memory_counters *count)
{
	u64 before_count = 1, before_bytes = 0;
	struct memory_block *before;
	long status;

	status = bpf_map_update_elem(&live, address, block, UPDATE_NOEXIST);
	if (status == -EEXIST) {
		before = bpf_map_lookup_elem(&live, address);
		if (before) {
			before_count = block_count(control, before);
			before_bytes = block_bytes(control, before);
		}
		status = bpf_map_update_elem(&live, address, block, UPDATE_ANY);
		if (status == 0) {
			ADD(&count->replaced, before_count);
			ADD(&count->replaced_bytes, before_bytes);
			return 0;
		}
	}
	if (status != 0) {
		ADD(&count->untracked, block_count(control, block));
		ADD(&count->untracked_bytes, block_bytes(control, block));
	}
	return 0;
}

/* next_sample() takes no larger mean. */
#define LARGEST_MEAN (1ULL << 34)

/* What the mean is multiplied by to save. */
INLINE u32 mean_factor(u64 mean)
{
	u32 zero = 0;
	const struct economy *how = bpf_map_lookup_elem(&economy, &zero);
	u64 factor = how ? READ_ONCE(how->sampling) : 1;

	if (LIKELY(factor <= 1))
		return 1;
	return mean * factor > LARGEST_MEAN ? LARGEST_MEAN / mean : factor;
}

/* Decides about an allocation; thread->factor is then what memory_block.factor will be. */
INLINE bool is_picked(struct memory_thread *thread, u64 size, u64 mean)
{
	u32 factor;

	if (mean == 0) {
		factor = sampling_weight();
		thread->factor = factor > 1 ? factor : 0;
		return factor != 0;
	}
	factor = mean_factor(mean);
	thread->factor = factor > 1 ? factor : 0;
	mean *= factor;
	/* The distance has no memory: another mean only needs another one. */
	if (thread->left == 0 || thread->left_factor != factor) {
		thread->left = next_sample(mean);
		thread->left_factor = factor;
	}
	if (size < (u64)thread->left) {
		thread->left -= size;
		return 0;
	}
	thread->left = next_sample(mean);
	return 1;
}

INLINE void count_free(const struct memory_control *control, const struct memory_block *block,
		       struct memory_counters *count)
{
	u64 weight = block_count(control, block);

	ADD(&count->frees, weight);
	ADD(&count->freed_bytes, block_bytes(control, block));
	if (UNLIKELY(weight > 1))
		ADD(&count->frees_added, weight - 1);
}

INLINE void count_release(const struct memory_control *control, const struct memory_block *block,
			  struct memory_counters *count)
{
	u64 weight = block_count(control, block);

	ADD(&count->released, weight);
	ADD(&count->released_bytes, block_bytes(control, block));
	if (UNLIKELY(weight > 1))
		ADD(&count->released_added, weight - 1);
}

/* A block was freed that is not in `live`. While sampling, most blocks were never picked. */
INLINE void count_unknown_free(const struct memory_control *control, struct memory_counters *count)
{
	if (control->sample_bytes != 0 || (READ_ONCE(control->flags) & MEMORY_PICKS))
		ADD_ONE(&count->sampled_out);
	else
		ADD_ONE(&count->unknown_frees);
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

/* A function that allocates returned. */
static NOINLINE int leave_allocator(void *context)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct memory_thread *thread = bpf_map_lookup_elem(&threads, &tid);
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	u64 sp = stack_pointer(context);
	struct memory_address address = {};
	struct memory_block block = {};
	struct memory_site site = {};
	u64 result, weight;

	if (!thread || !control || !count || thread->stack_pointer == 0)
		return 0;
	/* x86_64 has taken the return address off the stack by now. */
	if (ON_X86_64 ? sp <= thread->stack_pointer : sp < thread->stack_pointer)
		return 0;
	if (thread->tail_calls != 0) {
		thread->tail_calls--;
		return 0;
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
		return 0;
	if (result == 0) {
		if (thread->size != 0 || thread->pointer == 0)
			ADD_ONE(&count->failures);
		return 0;
	}
	block.size = thread->size;
	block.time = bpf_ktime_get_ns();
	block.tid = tid;
	block.factor = thread->factor;
	weight = block_weight(control, block.factor);
	note_first_event(count, block.time);
	if (!process_entry(&thread->process, count))
		ADD_ONE(&count->processes_lost);
	site.process = thread->process;
	site.kind = SITE_ALLOCATION;
	if (control->sample_bytes != 0) {
		site.size = block.size;
		site.factor = block.factor;
	}
	take_site_stack(context, &site, control, count);
	block.stack = site.stack;
	count_at(&site, weight, block.size * weight, count);
	ADD(&count->allocations, weight);
	ADD(&count->allocated_bytes, block.size * weight);
	if (UNLIKELY(weight > 1))
		ADD(&count->allocations_added, weight - 1);
	address.process = thread->process;
	address.address = result;
	put_block(&address, &block, control, count);
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

/* number * size, or what no allocator can give. */
INLINE u64 product(u64 number, u64 size)
{
	u64 all = number * size;

	/* Keeps the compiler from a multiplication of 128 bits, which BPF has none of. */
	__asm__ volatile("" : "+r"(all));
	if (number != 0 && all / number != size)
		return ~0ULL;
	return all;
}

SEC("uprobe")
int memory_malloc(void *context)
{
	enter_allocator(context, FUNCTION_MALLOC, first_argument(context), 0);
	return 0;
}

extern bool bpf_session_is_return(void) KSYM WEAK;

/* malloc's entry and return in one, since Linux 6.13: where nothing is to be recorded, as while
 * sampling, the return costs nothing. malloc calls none of the other functions, so that nobody needs
 * to know that the thread is in it. */
SEC("uprobe.session")
int memory_malloc_session(void *context)
{
	struct memory_thread *thread;
	u32 tid;

	if (!bpf_session_is_return)
		return 1;
	if (bpf_session_is_return()) {
		leave_allocator(context);
		return 0;
	}
	if (enter_allocator(context, FUNCTION_MALLOC, first_argument(context), 0))
		return 1;
	tid = bpf_get_current_pid_tgid();
	thread = bpf_map_lookup_elem(&threads, &tid);
	if (!thread || thread->function != FUNCTION_MALLOC || !(thread->flags & CALL_UNWANTED))
		return 0;
	thread->stack_pointer = 0;
	return 1;
}

SEC("uprobe")
int memory_calloc(void *context)
{
	enter_allocator(context, FUNCTION_CALLOC,
			product(first_argument(context), second_argument(context)), 0);
	return 0;
}

SEC("uprobe")
int memory_realloc(void *context)
{
	enter_allocator(context, FUNCTION_REALLOC, second_argument(context),
			first_argument(context));
	return 0;
}

SEC("uprobe")
int memory_reallocarray(void *context)
{
	enter_allocator(context, FUNCTION_REALLOCARRAY,
			product(second_argument(context), third_argument(context)),
			first_argument(context));
	return 0;
}

SEC("uprobe")
int memory_posix_memalign(void *context)
{
	enter_allocator(context, FUNCTION_POSIX_MEMALIGN, third_argument(context),
			first_argument(context));
	return 0;
}

/* The alignment, then the size. Apart from the next, to which musl jumps. */
SEC("uprobe")
int memory_memalign(void *context)
{
	enter_allocator(context, FUNCTION_MEMALIGN, second_argument(context), 0);
	return 0;
}

SEC("uprobe")
int memory_aligned_alloc(void *context)
{
	enter_allocator(context, FUNCTION_ALIGNED_ALLOC, second_argument(context), 0);
	return 0;
}

/* valloc and pvalloc */
SEC("uprobe")
int memory_pages(void *context)
{
	enter_allocator(context, FUNCTION_PAGES, first_argument(context), 0);
	return 0;
}

SEC("uretprobe")
int memory_allocated(void *context)
{
	return leave_allocator(context);
}

SEC("uprobe")
int memory_free(void *context)
{
	return enter_free(context);
}

#endif
