/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 32-bit programs on 64-bit kernels.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include "helpers.h"

#define X86_TS_COMPAT 0x2  /* arch/x86/include/asm/thread_info.h */
#define ARM64_TIF_32BIT 22 /* arch/arm64/include/asm/thread_info.h */
/* MM_CONTEXT_UPROBE_IA32, arch/x86/include/asm/mmu.h; MMCF_AARCH32, arch/arm64/include/asm/mmu.h */
#define CONTEXT_32BIT 1

struct thread_info___compat {
	unsigned long flags;
	u32 status; /* x86 */
} CORE;

struct mm_context___compat {
	unsigned long flags;
} CORE;

struct mm_struct___compat {
	struct mm_context___compat context;
} CORE;

struct task_struct___compat {
	struct thread_info___compat thread_info;
	struct mm_struct___compat *mm;
} CORE;

/* True when a task is in a system call that it made as 32-bit programs do. `typed`: the task came with
 * its type, so that its fields are read without a helper. */
INLINE bool is_compat(const void *of, bool typed)
{
	const struct task_struct___compat *task = of;
	unsigned long flags = 0;
	u32 status = 0;

	if (core_field_exists(task->thread_info.status)) {
		if (typed)
			status = task->thread_info.status;
		else
			core_read(&status, task, thread_info.status);
		return (status & X86_TS_COMPAT) != 0;
	}
	if (typed)
		flags = task->thread_info.flags;
	else
		core_read(&flags, task, thread_info.flags);
	return (flags >> ARM64_TIF_32BIT & 1) != 0;
}

/* True when a task runs a 32-bit program. */
INLINE bool is_compat_program(const void *of)
{
	const struct task_struct___compat *task = of;
	const struct mm_struct___compat *mm = NULL;
	u64 flags = 0;

	if (core_read(&mm, task, mm) != 0 || !mm || !core_field_exists(mm->context.flags))
		return 0;
	bpf_probe_read_kernel(&flags, core_field_size(mm->context.flags),
			      (const char *)mm + core_field_offset(mm->context.flags));
	return (flags & CONTEXT_32BIT) != 0;
}

#endif
