/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: cpu [seconds [stop]]
 *
 * Burns CPU in hot_a (1,000 additions) and hot_b (3,000), so that three quarters of the time is
 * hot_b's. Ends on SIGTERM or SIGINT, or after so many seconds of its own CPU time (0: never).
 * "stop": stops itself first and waits for SIGCONT. At the end it prints what it really used:
 *   cpu_seconds=1.004 user=1.003 system=0.001 rounds=123456
 *
 * The stack of each sample is main > burn > round_of_work > hot_a or hot_b.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "stopped.h"

#define NOT_INLINED __attribute__((noinline))

static volatile sig_atomic_t told_to_stop;

static void on_signal(int number)
{
	(void)number;
	told_to_stop = 1;
}

/* One addition at a time: the compiler sees neither the sum nor that nobody uses it. */
NOT_INLINED unsigned long hot_a(unsigned long sum)
{
	for (int i = 0; i < 1000; i++) {
		sum += 1;
		__asm__ volatile("" : "+r"(sum));
	}
	return sum;
}

NOT_INLINED unsigned long hot_b(unsigned long sum)
{
	for (int i = 0; i < 3000; i++) {
		sum += 1;
		__asm__ volatile("" : "+r"(sum));
	}
	return sum;
}

NOT_INLINED unsigned long round_of_work(unsigned long sum)
{
	sum = hot_a(sum);
	sum = hot_b(sum);
	__asm__ volatile("" : "+r"(sum)); /* no tail call: this frame stays on the stack */
	return sum;
}

static double used_cpu_seconds(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return used.tv_sec + used.tv_nsec / 1e9;
}

NOT_INLINED unsigned long burn(double seconds)
{
	unsigned long sum = 0, rounds = 0;

	while (!told_to_stop) {
		sum = round_of_work(sum);
		/* About once a millisecond: the system call must not show in the profile. */
		if (++rounds % 512 == 0 && seconds > 0 && used_cpu_seconds() >= seconds)
			break;
	}
	__asm__ volatile("" : "+r"(sum));
	return rounds;
}

int main(int count, char **arguments)
{
	double seconds = count > 1 ? atof(arguments[1]) : 0;
	struct sigaction action = { .sa_handler = on_signal };
	struct rusage usage;
	double user, system;
	unsigned long rounds;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (count > 2 && strcmp(arguments[2], "stop") == 0)
		stop_until_continued();
	rounds = burn(seconds);
	getrusage(RUSAGE_SELF, &usage);
	user = usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6;
	system = usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
	printf("cpu_seconds=%.6f user=%.6f system=%.6f rounds=%lu\n", user + system, user, system,
	       rounds);
	return 0;
}
