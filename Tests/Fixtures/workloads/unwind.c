/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: unwind MODE [seconds [now]]
 *
 * Stops itself, unless it shall begin now, then burns so many seconds of CPU time in `leaf`, with a known chain of callers.
 * Built without frame pointers, as distributions build their libraries:
 *   callback   main > work_callback > (the C library's qsort) > compare > leaf
 *   recursion  main > recurse, 100 times > leaf
 *   signal     main > work_signal > handle > leaf, where handle is a signal handler
 *   aligned    main > work_aligned > leaf, where work_aligned keeps its stack aligned to 64 bytes
 *   alloca     main > work_alloca > leaf, where work_alloca has no fixed frame
 *   deep       main > recurse, 1000 times > leaf: more than anybody keeps
 *   thread     (the C library's start of a thread) > work_thread > leaf
 * and in these elsewhere than in `leaf`:
 *   linkage    main > work_linkage > labs, through the procedure linkage table
 *   clock      main > work_clock > clock_gettime > (the vdso)
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stopped.h"

#define NOT_INLINED __attribute__((noinline, noclone))
/* No tail call: the caller's frame stays on the stack. */
#define STAY __asm__ volatile("" ::: "memory")

static double limit;
static int is_over;

/* Inlined: no frame of its own. */
static inline void look_at_clock(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	is_over = used.tv_sec + used.tv_nsec / 1e9 >= limit;
}

NOT_INLINED void leaf(void)
{
	for (int i = 0; i < 20000; i++)
		STAY;
	look_at_clock();
}

NOT_INLINED int compare(const void *left, const void *right)
{
	leaf();
	STAY;
	return *(const int *)left - *(const int *)right;
}

NOT_INLINED void work_callback(void)
{
	int values[8] = { 5, 3, 8, 1, 7, 2, 6, 4 };

	qsort(values, 8, sizeof(values[0]), compare);
	STAY;
}

NOT_INLINED void recurse(int depth)
{
	if (depth > 1)
		recurse(depth - 1);
	else
		leaf();
	STAY;
}

NOT_INLINED void handle(int number)
{
	(void)number;
	leaf();
	STAY;
}

NOT_INLINED void work_signal(void)
{
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
	STAY;
}

NOT_INLINED void work_aligned(void)
{
	char space[256] __attribute__((aligned(64)));

	__asm__ volatile("" : : "r"(space) : "memory");
	leaf();
	__asm__ volatile("" : : "r"(space) : "memory");
}

NOT_INLINED void work_alloca(size_t size)
{
	char *space = alloca(size);

	__asm__ volatile("" : : "r"(space) : "memory");
	leaf();
	__asm__ volatile("" : : "r"(space) : "memory");
}

static void *work_thread(void *argument)
{
	while (!is_over)
		leaf();
	return argument;
}

NOT_INLINED void start_thread_and_wait(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work_thread, NULL) != 0)
		abort();
	pthread_join(thread, NULL);
}

NOT_INLINED long work_linkage(long value)
{
	for (int i = 0; i < 20000; i++)
		value += labs(value - i);
	look_at_clock();
	return value;
}

NOT_INLINED void work_clock(void)
{
	struct timespec now;

	for (int i = 0; i < 20000; i++)
		clock_gettime(CLOCK_MONOTONIC, &now);
	look_at_clock();
}

int main(int count, char **arguments)
{
	struct sigaction action = { .sa_handler = handle };
	const char *mode = count > 1 ? arguments[1] : "";

	limit = count > 2 ? atof(arguments[2]) : 1;
	sigaction(SIGUSR1, &action, NULL);
	if (count <= 3)
		stop_until_continued();
	while (!is_over) {
		if (strcmp(mode, "callback") == 0)
			work_callback();
		else if (strcmp(mode, "recursion") == 0)
			recurse(100);
		else if (strcmp(mode, "signal") == 0)
			work_signal();
		else if (strcmp(mode, "aligned") == 0)
			work_aligned();
		else if (strcmp(mode, "alloca") == 0)
			work_alloca(64 + count);
		else if (strcmp(mode, "deep") == 0)
			recurse(1000);
		else if (strcmp(mode, "thread") == 0)
			start_thread_and_wait();
		else if (strcmp(mode, "linkage") == 0)
			work_linkage(count);
		else if (strcmp(mode, "clock") == 0)
			work_clock();
		else
			return 64;
	}
	return 0;
}
