/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: stacks [count [microseconds]]
 *
 * Visits `count` different call stacks (default and at most 65,536), burning so many microseconds
 * in each (default 100): what fills a profiler's tables. Stack number n is main > visit > step >
 * 16 × (left or right, by the bits of n, each by way of step) > burn.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>

#define NOT_INLINED __attribute__((noinline))
#define NO_TAIL_CALL __asm__ volatile("")

enum { TURNS = 16 };

static long burn_nanoseconds;

NOT_INLINED void burn(void)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000000000L + now.tv_nsec - start.tv_nsec <
		 burn_nanoseconds);
}

NOT_INLINED void step(unsigned number, int turns_left);

NOT_INLINED void left(unsigned number, int turns_left)
{
	step(number, turns_left);
	NO_TAIL_CALL;
}

NOT_INLINED void right(unsigned number, int turns_left)
{
	step(number, turns_left);
	NO_TAIL_CALL;
}

NOT_INLINED void step(unsigned number, int turns_left)
{
	if (turns_left == 0)
		burn();
	else if (number & 1)
		right(number >> 1, turns_left - 1);
	else
		left(number >> 1, turns_left - 1);
	NO_TAIL_CALL;
}

NOT_INLINED void visit(unsigned count)
{
	for (unsigned number = 0; number < count; number++)
		step(number, TURNS);
}

int main(int count, char **arguments)
{
	unsigned stacks = count > 1 ? strtoul(arguments[1], NULL, 10) : 1u << TURNS;

	burn_nanoseconds = (count > 2 ? atol(arguments[2]) : 100) * 1000;
	visit(stacks < 1u << TURNS ? stacks : 1u << TURNS);
	return 0;
}
