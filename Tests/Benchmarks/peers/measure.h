/* SPDX-License-Identifier: Apache-2.0 */
/* What every peer program measures with: the same clocks and figures as the Swift programs. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* CPU time of this process, user and kernel. */
static inline uint64_t cpu_now(void)
{
	return nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
}

/* Pages written by this process and shared with no other, in KiB. */
static inline long private_dirty_kb(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	long sum = -1;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Private_Dirty: %ld", &sum) == 1)
			break;
	fclose(file);
	return sum;
}

static inline void print_figure(const char *key, uint64_t value)
{
	printf("%s %llu\n", key, (unsigned long long)value);
}

static inline void fail(const char *what)
{
	perror(what);
	exit(1);
}

#endif
