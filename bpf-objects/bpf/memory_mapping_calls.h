/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the calls that change mappings and the program break are seen.
 */
#ifndef SWIFT_EBPF_MEMORY_MAPPING_CALLS_H
#define SWIFT_EBPF_MEMORY_MAPPING_CALLS_H

#include "compat.h"
#include "memory_mappings.h"

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

/* Of 32-bit programs. arch/x86/entry/syscalls/syscall_32.tbl and arch/arm64/tools/syscall_32.tbl
 * (unistd32.h before Linux 6.11), which number these alike. */
INLINE u32 mapping_call_32(u64 number)
{
	switch (number) {
	case 45: return CALL_BRK;
	case 90: return ON_X86_64 ? CALL_OLD_MMAP : CALL_OTHER;
	case 91: return CALL_MUNMAP;
	case 163: return CALL_MREMAP;
	case 192: return CALL_MMAP;
	}
	return CALL_OTHER;
}

/* A system call's arguments. Registers of another context than the program's are read, not loaded; of
 * those of 32-bit programs the upper half is not theirs. */
#define READ_KERNEL_REGISTER(name, x86_64_field, i386_field, aarch64_field) \
	INLINE u64 name(const void *registers, bool compat) \
	{ \
		u64 value = 0; \
\
		if (!ON_X86_64) \
			core_read(&value, (const struct pt_regs___aarch64 *)registers, \
				  aarch64_field); \
		else if (compat) \
			core_read(&value, (const struct pt_regs___x86_64 *)registers, \
				  i386_field); \
		else \
			core_read(&value, (const struct pt_regs___x86_64 *)registers, \
				  x86_64_field); \
		return compat ? (u32)value : value; \
	}

READ_KERNEL_REGISTER(call_first, di, bx, regs[0])
READ_KERNEL_REGISTER(call_second, si, cx, regs[1])
READ_KERNEL_REGISTER(call_third, dx, dx, regs[2])

/* ---- Best: where these calls return, and no others. Their arguments are in the registers still; only
 * what the break was before must be seen at the entry. Calls of 32-bit programs are not seen there
 * (ARCH_TRACE_IGNORE_COMPAT_SYSCALLS, kernel/trace/trace_syscalls.c). ---- */

/* /sys/kernel/tracing/events/syscalls/{sys_enter_brk,sys_exit_brk}/format */
struct call_exit {
	u64 common;
	int number;
	int padding;
	u64 result;
};

INLINE int mapping_returned(struct call_exit *context, u32 call)
{
	const void *registers = (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct mapping_change change = { .call = call, .result = context->result };
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_thread *thread;

	if (!control || !count || !current_process(control, count, &thread, NULL))
		return 0;
	change.size = call_second(registers, 0);
	if (call == CALL_MREMAP) {
		change.before = change.size;
		change.size = call_third(registers, 0);
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

/* ---- Calls at their entry and at their return, whoever makes them. ---- */

/* The first mmap of i386 takes its arguments as a structure (struct mmap_arg_struct32). */
struct mmap_arguments {
	u32 address;
	u32 size;
};

static NOINLINE int call_begins(const void *registers, u64 number, u64 compat)
{
	struct mapping_change change = { .compat = compat ? CALL_IS_COMPAT : 0 };

	change.call = compat ? mapping_call_32(number) : mapping_call(number);
	if (change.call == CALL_OTHER)
		return 0;
	change.size = call_second(registers, compat);
	if (change.call == CALL_BRK)
		change.before = program_break();
	if (change.call == CALL_MREMAP) {
		change.before = change.size;
		change.size = call_third(registers, compat);
	}
	if (change.call == CALL_OLD_MMAP) {
		struct mmap_arguments arguments = {};

		/* What cannot be read, the call cannot read either: it will fail. */
		bpf_probe_read_user(&arguments, sizeof(arguments),
				    (const void *)call_first(registers, compat));
		change.call = CALL_MMAP;
		change.size = arguments.size;
	}
	return mapping_begins(&change);
}

/* Beside the tracepoints above, while there are 32-bit programs: at all calls, of which those of other
 * programs are left at once. (registers, number) */
SEC("raw_tp/sys_enter")
int memory_compat_enter(struct raw_tracepoint *context)
{
	if (LIKELY(!is_compat((const void *)bpf_get_current_task(), 0)))
		return 0;
	return call_begins((const void *)context->args[0], context->args[1], 1);
}

/* (registers, result) */
SEC("raw_tp/sys_exit")
int memory_compat_exit(struct raw_tracepoint *context)
{
	if (LIKELY(!is_compat((const void *)bpf_get_current_task(), 0)))
		return 0;
	return mapping_returns(context, context->args[1]);
}

/* In place of the tracepoints above: at all calls, of all programs. */
SEC("raw_tp/sys_enter")
int memory_call_enter(struct raw_tracepoint *context)
{
	u64 number = context->args[1];

	if (LIKELY(mapping_call(number) == CALL_OTHER && mapping_call_32(number) == CALL_OTHER))
		return 0;
	return call_begins((const void *)context->args[0], number,
			   is_compat((const void *)bpf_get_current_task(), 0));
}

SEC("raw_tp/sys_exit")
int memory_call_exit(struct raw_tracepoint *context)
{
	return mapping_returns(context, context->args[1]);
}

#endif
