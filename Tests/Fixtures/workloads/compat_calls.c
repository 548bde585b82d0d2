/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops itself; continued, calls the kernel 100 times as 32-bit programs do, then 10 times as others
 * do, and ends. Exits with 77 where the kernel has no 32-bit calls. For x86_64 only.
 */
#define _GNU_SOURCE
#include <signal.h>

#include "stopped.h"

static long call_32(long number)
{
	__asm__ volatile("int $0x80" : "+a"(number) : : "memory", "r8", "r9", "r10", "r11");
	return number;
}

static void missing(int signal)
{
	(void)signal;
	_exit(77);
}

int main(void)
{
	signal(SIGSEGV, missing);
	if (call_32(20) != getpid()) /* getpid */
		_exit(77);
	stop_until_continued();
	for (int i = 0; i < 100; i++)
		call_32(64); /* getppid; semget for others */
	for (int i = 0; i < 10; i++)
		syscall(SYS_getppid);
	_exit(0);
}
