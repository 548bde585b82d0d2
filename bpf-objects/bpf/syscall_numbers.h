/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which call it is, with which arguments, and whose.
 */
#ifndef SWIFT_EBPF_SYSCALL_NUMBERS_H
#define SWIFT_EBPF_SYSCALL_NUMBERS_H

#include "compat.h"
#include "syscall_state.h"

INLINE u32 call_of(s64 number, bool compat)
{
	return ((u32)number & ~CALL_COMPAT) | (compat ? CALL_COMPAT : 0);
}

INLINE u32 slot_of(u32 call)
{
	u32 number = call & ~CALL_COMPAT;

	if (number >= CALL_SLOTS_OF_ABI)
		return CALL_SLOT_OTHER;
	return call & CALL_COMPAT ? number + CALL_SLOTS_OF_ABI : number;
}

/* The call of a thread from its registers, which came with their type; false when it is in none. */
INLINE bool typed_number_of(const void *registers, s64 *number)
{
	const struct pt_regs___x86 *x86 = registers;
	const struct pt_regs___arm64 *arm64 = registers;

	if (core_field_exists(x86->orig_ax))
		*number = (s64)x86->orig_ax;
	else
		*number = arm64->syscallno;
	return *number >= 0;
}

/* The same from any address. */
INLINE bool number_of(const void *registers, s64 *number)
{
	const struct pt_regs___x86 *x86 = registers;
	const struct pt_regs___arm64 *arm64 = registers;

	if (core_field_exists(x86->orig_ax)) {
		unsigned long value = 0;

		if (core_read(&value, x86, orig_ax) != 0)
			return 0;
		*number = (s64)value;
	} else {
		int value = 0;

		if (core_read(&value, arm64, syscallno) != 0)
			return 0;
		*number = value;
	}
	return *number >= 0;
}

INLINE void arguments_of(const void *registers, bool compat, u64 *to)
{
	const struct pt_regs___x86 *x86 = registers;
	const struct pt_regs___arm64 *arm64 = registers;

	if (!core_field_exists(x86->orig_ax)) {
		bpf_probe_read_kernel(to, 6 * sizeof(u64),
				      __builtin_preserve_access_index(&arm64->regs));
		return;
	}
	if (compat) {
		core_read(&to[0], x86, bx);
		core_read(&to[1], x86, cx);
		core_read(&to[2], x86, dx);
		core_read(&to[3], x86, si);
		core_read(&to[4], x86, di);
		core_read(&to[5], x86, bp);
		return;
	}
	core_read(&to[0], x86, di);
	core_read(&to[1], x86, si);
	core_read(&to[2], x86, dx);
	core_read(&to[3], x86, r10);
	core_read(&to[4], x86, r8);
	core_read(&to[5], x86, r9);
}

/* The process and when it began, so that a number used again is another process: the start in units
 * of 2^20 ns above the id. */
INLINE u64 identify(const struct task_struct___calls *task, u32 tgid)
{
	const struct task_struct___calls *leader;
	u64 start = 0;

	if (core_read(&leader, task, group_leader) == 0)
		core_read(&start, leader, start_boottime);
	return (start >> 20) << 32 | tgid;
}

#endif
