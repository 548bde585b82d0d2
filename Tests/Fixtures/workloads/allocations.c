/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops itself; continued, uses the allocator as its first argument says. What each does is beside
 * it, as allocations and bytes, frees and bytes, and blocks that stay.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "stopped.h"

/* volatile: the compiler may not leave out what it thinks is useless. */
static void *volatile kept[4096];
static volatile size_t too_much = SIZE_MAX / 2;

static void check(int holds)
{
	if (!holds)
		_exit(3);
}

/* 11 allocations of 5,855 bytes, 5 frees of 1,021 bytes, 6 blocks of 4,834 bytes; 4 failures. */
static void semantics(void)
{
	void *block;

	free(NULL);
	free(NULL);
	check((kept[0] = malloc(too_much)) == NULL);           /* fails */
	check((kept[1] = calloc(10, 20)) != NULL);             /* + 200 */
	check((kept[2] = realloc(NULL, 50)) != NULL);          /* + 50 */
	check((kept[2] = realloc(kept[2], 150)) != NULL);      /* - 50 + 150 */
	check((kept[3] = realloc(kept[2], too_much)) == NULL); /* fails; kept[2] stays */
	check((kept[4] = malloc(300)) != NULL);                /* + 300 */
	free(kept[4]);                                         /* - 300 */
	check((kept[5] = reallocarray(NULL, 3, 7)) != NULL);   /* + 21 */
	check((kept[5] = reallocarray(kept[5], 30, 10)) != NULL); /* - 21 + 300 */
	check((kept[6] = reallocarray(kept[5], too_much, 16)) == NULL); /* fails; kept[5] stays */
	block = NULL;
	check(posix_memalign(&block, 64, 350) == 0 && block);  /* + 350 */
	kept[7] = block;
	check(posix_memalign(&block, 3, 100) == EINVAL);       /* fails */
	free(kept[7]);                                         /* - 350 */
	check((kept[8] = aligned_alloc(64, 128)) != NULL);     /* + 128 */
	check((kept[9] = memalign(32, 33)) != NULL);           /* + 33 */
	check((kept[10] = malloc(300)) != NULL);               /* + 300 */
	free(kept[10]);                                        /* - 300 */
	check((kept[11] = valloc(4023)) != NULL);              /* + 4023 */
}

struct share {
	int number;
	int count;
};

/* `count` blocks of 1 … count bytes, every second one freed. */
static void *allocate_share(void *argument)
{
	const struct share *share = argument;
	void *block;

	for (int size = 1; size <= share->count; size++) {
		block = malloc(size);
		check(block != NULL);
		*(volatile char *)block = 1;
		if (size % 2 == 0)
			free(block);
	}
	return NULL;
}

/* The threads' blocks, and what the C library needs to start them. */
static void threads(int number, int count)
{
	pthread_t ids[64];
	struct share share = { .count = count };

	check(number <= 64);
	for (int i = 0; i < number; i++)
		check(pthread_create(&ids[i], NULL, allocate_share, &share) == 0);
	for (int i = 0; i < number; i++)
		pthread_join(ids[i], NULL);
}

/* `count` allocations of 32 bytes, each freed at once: mostly the same address. */
static void reuse(int count)
{
	for (int i = 0; i < count; i++) {
		kept[0] = malloc(32);
		free(kept[0]);
	}
}

/* Blocks of 100 bytes that stay: `count` here, then as many in a child process. */
static void children(int count)
{
	int state;
	pid_t child;

	for (int i = 0; i < count; i++)
		kept[i] = malloc(100);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < count; i++)
			kept[i] = malloc(100);
		_exit(0);
	}
	waitpid(child, &state, 0);
}

/* Allocates 10 and 20; stops; frees the first, allocates 30; stops; frees 30, allocates 40. */
static void phases(void)
{
	kept[0] = malloc(10);
	kept[1] = malloc(20);
	stop_until_continued();
	free(kept[0]);
	kept[2] = malloc(30);
	stop_until_continued();
	free(kept[2]);
	kept[3] = malloc(40);
}

/* `count` allocations of sizes from a fixed sequence, 16 bytes to 1 MiB, each freed at once, but every
 * hundredth. */
static void sizes(int count)
{
	uint32_t state = 12345;
	int place = 0;

	for (int i = 0; i < count; i++) {
		void *volatile block;

		state = state * 1664525u + 1013904223u;
		block = malloc((state >> 16) % (16u << ((state >> 8) % 17)) + 16);
		check(block != NULL);
		if (i % 100 == 0 && place < 4096)
			kept[place++] = block;
		else
			free(block);
	}
}

/* Touches each of `pages` new pages once. */
static void touch(int pages)
{
	size_t size = (size_t)pages * 4096;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(memory != MAP_FAILED);
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < size; i += 4096)
		((volatile char *)memory)[i] = 1;
	stop_until_continued();
	munmap(memory, size);
}

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";
	int first = count > 2 ? atoi(arguments[2]) : 0;
	int second = count > 3 ? atoi(arguments[3]) : 0;

	/* The allocator's own first-use work is not part of what is counted. */
	free(malloc(1));
	stop_until_continued();
	if (strcmp(what, "semantics") == 0)
		semantics();
	else if (strcmp(what, "threads") == 0)
		threads(first, second);
	else if (strcmp(what, "reuse") == 0)
		reuse(first);
	else if (strcmp(what, "children") == 0)
		children(first);
	else if (strcmp(what, "phases") == 0)
		phases();
	else if (strcmp(what, "sizes") == 0)
		sizes(first);
	else if (strcmp(what, "touch") == 0)
		touch(first);
	else
		return 2;
	_exit(0);
}
