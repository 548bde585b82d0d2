/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processes FILE ROUNDS [at-once]: stops itself, unless it is to begin at once; continued, starts so
 * many times one child of each kind, one after the other, and writes a line for each to FILE when it has
 * ended:
 *
 *   KIND PID STATUS BEFORE AFTER     what wait(2) said, and CLOCK_MONOTONIC before fork and after wait
 *
 * Kinds: `exit0` and `exit3` execute this file and exit; `kill` executes it and is killed by SIGKILL;
 * `copy` executes nothing and exits with 4; `twice` executes this file, which executes it again and
 * exits with 5; of `threads` five threads end at the same moment, with status 0; of `leader` the first
 * thread ends before another exits with 6; `many` has 60 arguments, most of 50 bytes.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "stopped.h"

static char self[4096];
static pthread_barrier_t all_there;

static unsigned long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void *end_with_others(void *nothing)
{
	pthread_barrier_wait(&all_there);
	pthread_exit(nothing);
}

static void *end_after(void *leader)
{
	pthread_join(*(pthread_t *)leader, NULL);
	exit(6);
}

static void execute(char *const *arguments)
{
	execv(self, arguments);
	_exit(99);
}

/* What a program of this file does that was executed by itself. */
static int run(const char *kind)
{
	static pthread_t leader;
	pthread_t thread;

	if (strcmp(kind, "exit3") == 0)
		return 3;
	if (strcmp(kind, "kill") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(kind, "twice") == 0)
		execute((char *[]){ "processes", "run", "last", NULL });
	if (strcmp(kind, "last") == 0)
		return 5;
	if (strcmp(kind, "threads") == 0) {
		pthread_barrier_init(&all_there, NULL, 5);
		for (int i = 0; i < 4; i++)
			if (pthread_create(&thread, NULL, end_with_others, NULL) != 0)
				return 98;
		end_with_others(NULL);
	}
	if (strcmp(kind, "leader") == 0) {
		leader = pthread_self();
		if (pthread_create(&thread, NULL, end_after, &leader) != 0)
			return 98;
		pthread_exit(NULL);
	}
	return 0;
}

static void begin(const char *kind)
{
	char *arguments[64] = { "processes", "run", (char *)kind };
	static char long_one[51];

	if (strcmp(kind, "copy") == 0)
		_exit(4);
	if (strcmp(kind, "many") == 0) {
		memset(long_one, 'x', 50);
		for (int i = 3; i < 60; i++)
			arguments[i] = long_one;
	}
	execute(arguments);
}

int main(int count, char **arguments)
{
	static const char *const kinds[] = { "exit0", "exit3",	 "kill",   "copy",
					     "twice", "threads", "leader", "many" };
	FILE *file;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0)
		return 1;
	if (count >= 3 && strcmp(arguments[1], "run") == 0)
		return run(arguments[2]);
	if (count < 3 || !(file = fopen(arguments[1], "we")))
		return 2;
	if (count == 3)
		stop_until_continued();
	for (int round = 0; round < atoi(arguments[2]); round++)
		for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			unsigned long long before = now();
			pid_t child = fork();
			int status = 0;

			if (child == 0)
				begin(kinds[i]);
			if (child < 0 || waitpid(child, &status, 0) != child)
				return 1;
			fprintf(file, "%s %d %d %llu %llu\n", kinds[i], child, status, before, now());
		}
	return fclose(file) == 0 ? 0 : 1;
}
