/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thread CPU time of a pair of malloc and free, or of the first touch of a page.
 *
 * usage: allocate pairs COUNT | allocate pages COUNT
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static void pairs(long count)
{
	for (long i = 0; i < count; i++) {
		void *volatile block = malloc(64);

		free(block);
	}
}

int main(int count, char **arguments)
{
	long number = count > 2 ? atol(arguments[2]) : 0;
	double start;

	if (number <= 0)
		return 64;
	if (strcmp(arguments[1], "pairs") == 0) {
		pairs(1000);
		start = now();
		pairs(number);
		printf("pair_ns %.2f\n", (now() - start) / number);
		return 0;
	}
	if (strcmp(arguments[1], "pages") == 0) {
		size_t size = (size_t)number * 4096;
		char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			return 1;
		madvise(memory, size, MADV_NOHUGEPAGE);
		start = now();
		for (size_t i = 0; i < size; i += 4096)
			((volatile char *)memory)[i] = 1;
		printf("page_ns %.2f\n", (now() - start) / number);
		return 0;
	}
	return 64;
}
