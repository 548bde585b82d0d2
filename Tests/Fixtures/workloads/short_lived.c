/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: short_lived count milliseconds [copy [stop]]
 *
 * Starts `count` programs one after the other, each of which burns so many milliseconds of CPU in
 * short_work and ends. They are this file; with `copy`, each is a copy of its own that is removed
 * as soon as it runs. "stop": stops itself first and waits for SIGCONT.
 *
 * The stack of a sample in them is main > short_life > short_work.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "stopped.h"

#define NOT_INLINED __attribute__((noinline))

extern char **environ;

NOT_INLINED unsigned long short_work(unsigned long sum)
{
	for (int i = 0; i < 10000; i++) {
		sum += 1;
		__asm__ volatile("" : "+r"(sum));
	}
	return sum;
}

NOT_INLINED unsigned long short_life(double seconds)
{
	unsigned long sum = 0;
	struct timespec used;

	do {
		sum = short_work(sum);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	} while (used.tv_sec + used.tv_nsec / 1e9 < seconds);
	__asm__ volatile("" : "+r"(sum));
	return sum;
}

static int copy_self(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	struct stat status;
	off_t offset = 0;

	if (from < 0 || to < 0 || fstat(from, &status) != 0)
		return 0;
	while (offset < status.st_size)
		if (sendfile(to, from, &offset, status.st_size - offset) <= 0)
			return 0;
	close(from);
	return close(to) == 0;
}

int main(int count, char **arguments)
{
	const char *mode = count > 3 ? arguments[3] : "";
	int programs = count > 1 ? atoi(arguments[1]) : 0;

	if (count > 4 && strcmp(arguments[4], "stop") == 0)
		stop_until_continued();
	if (programs == 0) {
		if (strcmp(mode, "copy") == 0)
			unlink(arguments[0]);
		short_life(count > 2 ? atof(arguments[2]) / 1000 : 0.01);
		return 0;
	}
	for (int i = 0; i < programs; i++) {
		char path[64] = "/proc/self/exe";
		char *child[] = { path, "0", arguments[2], (char *)mode, NULL };
		pid_t id;
		int status;

		if (strcmp(mode, "copy") == 0) {
			snprintf(path, sizeof(path), "/tmp/short_lived.%d.%d", getpid(), i);
			if (!copy_self(path))
				return 1;
		}
		if (posix_spawn(&id, path, NULL, NULL, child, environ) != 0 ||
		    waitpid(id, &status, 0) != id || status != 0)
			return 1;
	}
	return 0;
}
