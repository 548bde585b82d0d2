/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: run OUTPUT COMMAND [ARGUMENT...]
 *
 * Runs a command with its standard output in a file and prints what the whole process cost, its
 * children included: wall_ns, cpu_ns (user and kernel) and max_rss_kb. Small and in C, because the
 * kernel counts the memory of what starts a process as the process's own until it executes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

static uint64_t microseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

int main(int count, char **arguments)
{
	struct rusage usage;
	uint64_t start;
	pid_t child;
	int status;

	if (count < 3) {
		fputs("usage: run OUTPUT COMMAND [ARGUMENT...]\n", stderr);
		return 64;
	}
	start = nanoseconds(CLOCK_MONOTONIC);
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		int output = open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		if (output < 0 || dup2(output, 1) < 0)
			fail(arguments[1]);
		execvp(arguments[2], arguments + 2);
		fail(arguments[2]);
	}
	if (wait4(child, &status, 0, &usage) != child)
		fail("wait4");
	print_figure("wall_ns", nanoseconds(CLOCK_MONOTONIC) - start);
	print_figure("cpu_ns",
		     (microseconds(usage.ru_utime) + microseconds(usage.ru_stime)) * 1000);
	print_figure("max_rss_kb", (uint64_t)usage.ru_maxrss);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "%s ended with wait status %#x\n", arguments[2], status);
		return 1;
	}
	return 0;
}
