/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocator's functions, a program each: what their arguments are.
 */
#ifndef SWIFT_EBPF_MEMORY_ALLOCATOR_PROBES_H
#define SWIFT_EBPF_MEMORY_ALLOCATOR_PROBES_H

#include "memory_allocator.h"

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
		thread = leave_allocator(context);
		return thread ? record_allocation(context, thread) : 0;
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
	struct memory_thread *thread = leave_allocator(context);

	return thread ? record_allocation(context, thread) : 0;
}

SEC("uprobe")
int memory_free(void *context)
{
	return enter_free(context);
}

#endif
