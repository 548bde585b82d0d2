/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mappings and the program break, by the system calls that change them.
 */
#ifndef SWIFT_EBPF_MEMORY_MAPPINGS_H
#define SWIFT_EBPF_MEMORY_MAPPINGS_H

#include "memory_growth.h"

enum mapping_call { CALL_MMAP, CALL_MUNMAP, CALL_MREMAP, CALL_BRK, CALL_OTHER };

/* A system call's arguments: what registers.h calls a function's, but for the fourth. */
INLINE u32 mapping_call(u64 number)
{
	if (ON_X86_64) {
		switch (number) { /* arch/x86/entry/syscalls/syscall_64.tbl */
		case 9: return CALL_MMAP;
		case 11: return CALL_MUNMAP;
		case 12: return CALL_BRK;
		case 25: return CALL_MREMAP;
		}
	} else {
		switch (number) { /* include/uapi/asm-generic/unistd.h */
		case 222: return CALL_MMAP;
		case 215: return CALL_MUNMAP;
		case 214: return CALL_BRK;
		case 216: return CALL_MREMAP;
		}
	}
	return CALL_OTHER;
}

INLINE u64 program_break(void)
{
	const struct task_struct___memory *task = (const void *)bpf_get_current_task();
	const struct mm_struct___memory *mm;
	u64 end = 0;

	if (core_read(&mm, task, mm) == 0 && mm)
		core_read(&end, mm, brk);
	return end;
}

/* Registers of another context than the program's are read, not loaded. */
#define READ_KERNEL_REGISTER(name, x86_64_field, aarch64_field) \
	INLINE u64 name(const void *registers) \
	{ \
		u64 value = 0; \
\
		if (ON_X86_64) \
			core_read(&value, (const struct pt_regs___x86_64 *)registers, \
				  x86_64_field); \
		else \
			core_read(&value, (const struct pt_regs___aarch64 *)registers, \
				  aarch64_field); \
		return value; \
	}

READ_KERNEL_REGISTER(call_first, di, regs[0])
READ_KERNEL_REGISTER(call_second, si, regs[1])
READ_KERNEL_REGISTER(call_third, dx, regs[2])

/* What a call did, or is about to do. */
struct mapping_change {
	u64 call;   /* enum mapping_call */
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
	take_site_stack(context, &site, control, count);
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
	thread->call = (u64)control->generation << 32 | (change->call + 1);
	thread->call_size = change->size;
	thread->call_before = change->before;
	return 0;
}

/* The current thread's call that was remembered, if any, returns. */
static NOINLINE int mapping_returns(void *context, u64 result)
{
	u32 tid = bpf_get_current_pid_tgid(), generation;
	struct memory_thread *thread = bpf_map_lookup_elem(&threads, &tid);
	struct memory_control *control = settings();
	struct mapping_change change;

	if (!thread || thread->call == 0 || !control)
		return 0;
	change.call = (u32)thread->call - 1;
	change.size = thread->call_size;
	change.before = thread->call_before;
	change.result = result;
	generation = thread->call >> 32;
	thread->call = 0;
	/* The return of another generation's call may have been one that nobody saw. */
	return generation == control->generation ? mapping_changed(context, thread, &change) : 0;
}

/* ---- Best: where these calls return, and no others. Their arguments are in the registers still; only
 * what the break was before must be seen at the entry. Calls of 32-bit programs are not seen. ---- */

/* /sys/kernel/tracing/events/syscalls/{sys_enter_brk,sys_exit_brk}/format */
struct call_exit {
	u64 common;
	int number;
	int padding;
	u64 result;
};

static NOINLINE int mapping_returned(struct call_exit *context, u32 call)
{
	const void *registers = (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct mapping_change change = { .call = call, .result = context->result };
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_thread *thread;

	if (!control || !count || !current_process(control, count, &thread, NULL))
		return 0;
	change.size = call_second(registers);
	if (call == CALL_MREMAP) {
		change.before = change.size;
		change.size = call_third(registers);
	}
	return mapping_changed(context, thread, &change);
}

SEC("tracepoint/syscalls/sys_exit_mmap")
int memory_mmap_exit(struct call_exit *context) { return mapping_returned(context, CALL_MMAP); }

SEC("tracepoint/syscalls/sys_exit_munmap")
int memory_munmap_exit(struct call_exit *context) { return mapping_returned(context, CALL_MUNMAP); }

SEC("tracepoint/syscalls/sys_exit_mremap")
int memory_mremap_exit(struct call_exit *context) { return mapping_returned(context, CALL_MREMAP); }

SEC("tracepoint/syscalls/sys_enter_brk")
int memory_break_enter(void *context)
{
	struct mapping_change change = { .call = CALL_BRK, .before = program_break() };

	return mapping_begins(&change);
}

SEC("tracepoint/syscalls/sys_exit_brk")
int memory_break_exit(struct call_exit *context)
{
	return mapping_returns(context, context->result);
}

/* ---- Else: all calls, at their entry and at their return. ---- */

/* (registers, number) */
SEC("raw_tp/sys_enter")
int memory_call_enter(struct raw_tracepoint *context)
{
	const void *registers = (const void *)context->args[0];
	struct mapping_change change = { .call = mapping_call(context->args[1]) };

	if (LIKELY(change.call == CALL_OTHER))
		return 0;
	change.size = call_second(registers);
	if (change.call == CALL_BRK)
		change.before = program_break();
	if (change.call == CALL_MREMAP) {
		change.before = change.size;
		change.size = call_third(registers);
	}
	return mapping_begins(&change);
}

/* (registers, result) */
SEC("raw_tp/sys_exit")
int memory_call_exit(struct raw_tracepoint *context)
{
	return mapping_returns(context, context->args[1]);
}

#endif
