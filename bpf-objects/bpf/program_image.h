/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which program a process runs: another after exec, and when its number is used again.
 *
 * `image` says where the kernel laid the program out, which exec chooses anew: start_code,
 * end_code, start_stack and start_brk of its memory as one polynomial, first to last. User space
 * has the same from fields 26, 27, 28 and 47 of /proc/PID/stat, so that it can tell which program
 * the mappings it read belong to.
 */
#ifndef SWIFT_EBPF_PROGRAM_IMAGE_H
#define SWIFT_EBPF_PROGRAM_IMAGE_H

#include "helpers.h"

#define IMAGE_FACTOR 0x9e3779b97f4a7c15ULL

/* What /proc/PID/stat counts in. */
#define NANOSECONDS_PER_TICK 10000000

struct process_id {
	u64 start; /* when the process was created, ns of CLOCK_BOOTTIME */
	u64 image; /* 0: it has no memory of its own: a kernel thread, in exec, or at its end */
	u32 tgid;  /* what user space calls the process id */
	u32 padding;
};

struct mm_struct___image {
	unsigned long start_code, end_code, start_brk, start_stack;
} CORE;

struct task_struct___image {
	struct mm_struct___image *mm;
} CORE;

/* 0 also while exec has not laid the new program out yet: the registers are those of the one
 * before, and mean nothing in its memory. */
INLINE u64 image_of(const void *address)
{
	const struct task_struct___image *task = address;
	const struct mm_struct___image *mm;
	u64 part = 0, image;

	if (core_read(&mm, task, mm) != 0 || !mm)
		return 0;
	if (core_read(&part, mm, start_code) != 0 || part == 0)
		return 0;
	image = part;
	core_read(&part, mm, end_code);
	image = image * IMAGE_FACTOR + part;
	core_read(&part, mm, start_stack);
	image = image * IMAGE_FACTOR + part;
	core_read(&part, mm, start_brk);
	return image * IMAGE_FACTOR + part;
}

#endif
