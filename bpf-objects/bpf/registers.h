/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments and the result of a probed function, on x86_64 and on aarch64: the loader's CO-RE
 * answers decide which, so one object serves both.
 */
#ifndef REGISTERS_H
#define REGISTERS_H

#include "helpers.h"

struct pt_regs___x86_64 {
	unsigned long bx;
	unsigned long di;
	unsigned long si;
	unsigned long dx;
	unsigned long cx;
	unsigned long ax;
	unsigned long sp;
} CORE;

struct pt_regs___aarch64 {
	u64 regs[31];
	u64 sp;
} CORE;

#define X86_64(context) ((struct pt_regs___x86_64 *)(context))
#define AARCH64(context) ((struct pt_regs___aarch64 *)(context))
#define ON_X86_64 core_field_exists(((struct pt_regs___x86_64 *)0)->di)

/*
 * One load at one constant offset from the context, since the verifier allows no other. The two
 * comments differ so that the compiler cannot join the branches into one load at a chosen offset.
 */
#define READ_REGISTER(name, x86_64_field, aarch64_field) \
	INLINE u64 name(void *context) \
	{ \
		u64 value; \
\
		if (ON_X86_64) { \
			value = X86_64(context)->x86_64_field; \
			__asm__ volatile("/* x86_64 */" : "+r"(value)); \
		} else { \
			value = AARCH64(context)->aarch64_field; \
			__asm__ volatile("/* aarch64 */" : "+r"(value)); \
		} \
		return value; \
	}

READ_REGISTER(first_argument, di, regs[0])
READ_REGISTER(second_argument, si, regs[1])
READ_REGISTER(third_argument, dx, regs[2])
READ_REGISTER(fourth_argument, cx, regs[3])
READ_REGISTER(returned_value, ax, regs[0])
READ_REGISTER(stack_pointer, sp, sp)

#endif
