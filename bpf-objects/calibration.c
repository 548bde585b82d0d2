/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two functions to put probes on, so that what a probe costs can be measured on the machine at hand.
 * They begin as an allocator's do, with an instruction that the kernel emulates when it is probed.
 */
#include "CBPFObjects.h"

/* Returns its argument. */
__attribute__((naked, noinline)) static unsigned long calibration_allocate(unsigned long address)
{
#if defined(__x86_64__)
	__asm__("push %rbp\n\tmov %rsp, %rbp\n\tmov %rdi, %rax\n\tpop %rbp\n\tret");
#else
	__asm__("stp x29, x30, [sp, #-16]!\n\tmov x29, sp\n\tldp x29, x30, [sp], #16\n\tret");
#endif
}

/* Does nothing. */
__attribute__((naked, noinline)) static unsigned long calibration_free(unsigned long address)
{
#if defined(__x86_64__)
	__asm__("push %rbp\n\tmov %rsp, %rbp\n\tmov %rsi, %rax\n\tpop %rbp\n\tret");
#else
	__asm__("stp x29, x30, [sp, #-16]!\n\tmov x29, sp\n\tldp x29, x30, [sp], #16\n\tret");
#endif
}

unsigned long cbpf_calibration_allocate_address(void)
{
	return (unsigned long)calibration_allocate;
}

unsigned long cbpf_calibration_free_address(void)
{
	return (unsigned long)calibration_free;
}

void cbpf_calibration_run(unsigned long pairs)
{
	/* Through volatile pointers: the compiler must call. */
	unsigned long (*volatile allocate)(unsigned long) = calibration_allocate;
	unsigned long (*volatile release)(unsigned long) = calibration_free;

	for (unsigned long i = 0; i < pairs; i++)
		release(allocate(4096));
}
