/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mappings.c does, as a 32-bit program does it, which has calls of its own (i386): its first mmap
 * takes its arguments as a structure, the second one the offset in pages. With no C library, so that
 * it needs none of 32 bits.
 *
 * With an argument it does not stop itself first. For x86_64 only.
 */
#define UNIT 65536L
#define STOPPED 19 /* SIGSTOP */
#define READ_WRITE 3
#define PRIVATE_ANONYMOUS 0x22
#define MAY_MOVE 1

enum { EXIT = 1, GETPID = 20, KILL = 37, BRK = 45, MMAP = 90, MUNMAP = 91, MREMAP = 163, MMAP2 = 192 };

static long call(long number, long first, long second, long third, long fourth, long fifth)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(first), "c"(second), "d"(third), "S"(fourth), "D"(fifth)
			 : "memory");
	return result;
}

static void require(int holds, int status)
{
	if (!holds)
		call(EXIT, status, 0, 0, 0, 0);
}

static int failed(long result)
{
	return (unsigned long)result > -4096UL;
}

static long map(int which, long size)
{
	unsigned long arguments[6] = { 0, size, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0 };

	return which % 2 ? call(MMAP, (long)arguments, 0, 0, 0, 0)
			 : call(MMAP2, 0, size, READ_WRITE, PRIVATE_ANONYMOUS, -1);
}

static void work(void)
{
	long maps[10], end;

	for (int i = 0; i < 10; i++) {
		maps[i] = map(i, UNIT);
		require(!failed(maps[i]), 1);
	}
	for (int i = 0; i < 5; i++)
		require(!failed(call(MREMAP, maps[i], UNIT, 2 * UNIT, MAY_MOVE, 0)), 2);
	for (int i = 5; i < 7; i++)
		require(!failed(call(MREMAP, maps[i], UNIT, UNIT / 2, 0, 0)), 3);
	for (int i = 7; i < 10; i++)
		require(call(MUNMAP, maps[i], UNIT, 0, 0, 0) == 0, 4);
	end = call(BRK, 0, 0, 0, 0, 0);
	require(call(BRK, end + 16 * UNIT, 0, 0, 0, 0) == end + 16 * UNIT, 5);
	require(call(BRK, end + 12 * UNIT, 0, 0, 0, 0) == end + 12 * UNIT, 6);
	require(failed(map(0, 0)) && failed(map(1, 0)) && failed(call(MUNMAP, maps[0], 0, 0, 0, 0)) &&
			failed(call(MREMAP, maps[9], UNIT, 2 * UNIT, 0, 0)),
		7);
}

void start(const long *stack)
{
	if (stack[0] == 1)
		call(KILL, call(GETPID, 0, 0, 0, 0, 0), STOPPED, 0, 0, 0);
	work();
	call(EXIT, 0, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start: mov %esp, %eax\npush %eax\ncall start\nhlt\n");
