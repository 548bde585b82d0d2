/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: callers ROUNDS
 *
 * Stops itself; continued, allocates ROUNDS blocks of 1000 bytes, all in the stack
 *   main > outer > middle > inner > ALLOCATE
 * and keeps them. ALLOCATE is malloc, or what the program was compiled with: operator new of a C++ library,
 * whose name as the linker knows it is _Znwm.
 */
#include <stdlib.h>

#include "stopped.h"

#ifndef ALLOCATE
#define ALLOCATE malloc
#else
void *ALLOCATE(unsigned long size);
#endif

#define NOT_INLINED __attribute__((noinline))

void *volatile block;

/* The empty statements keep the compiler from jumping in place of a call. */
NOT_INLINED void inner(void)
{
	block = ALLOCATE(1000);
	__asm__ volatile("");
}

NOT_INLINED void middle(void)
{
	inner();
	__asm__ volatile("");
}

NOT_INLINED void outer(void)
{
	middle();
	__asm__ volatile("");
}

int main(int count, char **arguments)
{
	long rounds = count > 1 ? atol(arguments[1]) : 1;

	/* The allocator's own first-use work is not part of what is counted. */
	free(ALLOCATE(1));
	stop_until_continued();
	while (rounds-- > 0)
		outer();
	_exit(0);
}
