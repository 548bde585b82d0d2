/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops itself; continued, changes its mappings by raw system calls, in units of 64 KiB:
 *   10 mmap of one; 5 mremap from one to two; 2 mremap from one to a half; 3 munmap of one;
 *   brk up by 16 and down by 4;
 *   4 calls that fail: mmap and munmap of nothing, mremap of what is not there, brk far too high.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "stopped.h"

#define UNIT 65536L

static void require(int holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	_exit(1);
}

int main(void)
{
	long maps[10], end;

	stop_until_continued();
	for (int i = 0; i < 10; i++) {
		maps[i] = syscall(SYS_mmap, 0, UNIT, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		require(maps[i] > 0, "mmap");
	}
	for (int i = 0; i < 5; i++)
		require(syscall(SYS_mremap, maps[i], UNIT, 2 * UNIT, MREMAP_MAYMOVE, 0) > 0, "mremap");
	for (int i = 5; i < 7; i++)
		require(syscall(SYS_mremap, maps[i], UNIT, UNIT / 2, 0, 0) > 0, "mremap");
	for (int i = 7; i < 10; i++)
		require(syscall(SYS_munmap, maps[i], UNIT) == 0, "munmap");
	end = syscall(SYS_brk, 0);
	require(syscall(SYS_brk, end + 16 * UNIT) == end + 16 * UNIT, "brk");
	require(syscall(SYS_brk, end + 12 * UNIT) == end + 12 * UNIT, "brk");
	require(syscall(SYS_mmap, 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1 &&
			syscall(SYS_munmap, maps[0], 0) == -1 &&
			syscall(SYS_mremap, maps[9], UNIT, 2 * UNIT, 0, 0) == -1 &&
			syscall(SYS_brk, 1L << 60) == end + 12 * UNIT,
		"calls that fail");
	_exit(0);
}
