/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mappings and the program break: what becomes of the calls that change them, which
 * memory_mapping_calls.h sees.
 */
#ifndef SWIFT_EBPF_MEMORY_MAPPINGS_H
#define SWIFT_EBPF_MEMORY_MAPPINGS_H

#include "memory_growth.h"

enum mapping_call { CALL_MMAP, CALL_MUNMAP, CALL_MREMAP, CALL_BRK, CALL_OLD_MMAP, CALL_OTHER };

/* In what a thread remembers of a call: it was made as 32-bit programs do. */
#define CALL_IS_COMPAT 0x100

INLINE u64 program_break(void)
{
	const struct task_struct___memory *task = (const void *)bpf_get_current_task();
	const struct mm_struct___memory *mm;
	u64 end = 0;

	if (core_read(&mm, task, mm) == 0 && mm)
		core_read(&end, mm, brk);
	return end;
}

/* What a call did, or is about to do. */
struct mapping_change {
	u64 call;   /* enum mapping_call */
	u64 compat; /* CALL_IS_COMPAT, or 0 */
	u64 size;
	u64 before; /* the program break, or the size before */
	u64 result;
};

INLINE void mapping_grew(void *context, u32 kind, u64 bytes, struct memory_thread *thread,
			 struct memory_control *control, struct memory_counters *count)
{
	struct memory_site site = {};

	note_first_event(count, bpf_ktime_get_ns());
	site.process = thread->process;
	site.kind = kind;
	take_site_stack(context, &site, thread, control, count);
	count_at(&site, 1, bytes, count);
}

static NOINLINE int mapping_changed(void *context, struct memory_thread *thread,
				    const struct mapping_change *change)
{
	u64 call = change->call, size = change->size, before = change->before;
	u64 result = change->result;
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_process *process;

	if (!control || !count)
		return 0; /* arrays: cannot happen */
	process = bpf_map_lookup_elem(&processes, &thread->process);
	if (!process) {
		ADD_ONE(&count->processes_lost);
		return 0;
	}
	/* The last page of addresses holds error numbers. */
	if (result > -4096ULL || (call == CALL_BRK && result == before) ||
	    (call == CALL_MREMAP && size == before)) {
		ADD_ONE(&count->mapping_failures);
		return 0;
	}
	ADD_ONE(&count->mappings);
	if (call == CALL_MMAP || (call == CALL_MREMAP && size > before)) {
		if (call == CALL_MREMAP)
			size -= before;
		ADD_ONE(&process->maps);
		ADD(&process->mapped_bytes, size);
		mapping_grew(context, SITE_MAP, size, thread, control, count);
	} else if (call == CALL_BRK && result > before) {
		ADD(&process->break_grown_bytes, result - before);
		mapping_grew(context, SITE_BREAK, result - before, thread, control, count);
	} else if (call == CALL_BRK) {
		ADD(&process->break_shrunk_bytes, before - result);
	} else {
		if (call == CALL_MREMAP)
			size = before - size;
		ADD_ONE(&process->unmaps);
		ADD(&process->unmapped_bytes, size);
	}
	return 0;
}

/* Remembers what a call was entered with, until it returns. */
static NOINLINE int mapping_begins(const struct mapping_change *change)
{
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_process *process;
	struct memory_thread *thread;

	if (!control || !count)
		return 0; /* arrays: cannot happen */
	process = current_process(control, count, &thread, NULL);
	if (!process)
		return 0;
	thread->call = (u64)control->generation << 32 | change->compat | (change->call + 1);
	thread->call_size = change->size;
	thread->call_before = change->before;
	return 0;
}

/* The current thread's call that was remembered, if any, returns. Inline: with a walk inside calls are eight
 * deep, and no more are allowed. */
INLINE int mapping_returns(void *context, u64 result)
{
	u32 tid = bpf_get_current_pid_tgid(), generation;
	struct memory_thread *thread = bpf_map_lookup_elem(&threads, &tid);
	struct memory_control *control = settings();
	struct mapping_change change;

	if (!thread || thread->call == 0 || !control)
		return 0;
	/* On aarch64 the error of a 32-bit call is one of 32 bits. */
	if (thread->call & CALL_IS_COMPAT && (u32)result > -4096U)
		result = (s64)(s32)result;
	change.call = ((u32)thread->call & (CALL_IS_COMPAT - 1)) - 1;
	change.compat = 0;
	change.size = thread->call_size;
	change.before = thread->call_before;
	change.result = result;
	generation = thread->call >> 32;
	thread->call = 0;
	/* The return of another generation's call may have been one that nobody saw. */
	return generation == control->generation ? mapping_changed(context, thread, &change) : 0;
}

#endif
