/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: waits REPORT            threads of known work
 *        waits switch ROUNDS [stop]   two threads that hand a byte back and forth on one CPU
 *        waits sleep SECONDS     one thread that sleeps
 *        waits wakers ROUNDS     one thread that waits, and is woken by another and by a timer
 *
 * The first stops itself and waits for SIGCONT; then it starts one thread for each of:
 *   sleeper     sleeps 25 times 20 ms
 *   reader      waits for a pipe, which the main thread writes 300 ms after it began to read
 *   locker      waits for a futex, which the main thread wakes then as well
 *   spinner     uses 300 ms of CPU time
 *   rivals      two of them use 200 ms each on the same CPU
 * Each writes one line about itself into REPORT, by its own clocks, in nanoseconds:
 *   name tid=TID made=CLOCK_MONOTONIC began=CLOCK_MONOTONIC worked=NS used=NS
 * (made before it was started, began when it ran, worked from begin to end of its work, used of its
 * CPU time) and then waits for ever, in pause(). "done" is the last line.
 *
 * The second prints what CPU time a round's half takes; with "stop" it stops itself before and after,
 * and both threads wait for each byte: neither takes the CPU from the other when it is woken. The
 * third and the fourth stop themselves first. In the fourth the thread "woken" waits ROUNDS times for each of:
 *   a futex     in wait_for_futex, until the main thread is in wake_by_futex
 *   a pipe      in wait_for_pipe, until the main thread is in wake_by_pipe
 *   a timer     in wait_for_timer, 1 ms each
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stopped.h"

#define NOT_INLINED __attribute__((noinline))
#define MILLISECOND 1000000L

static int report, wire[2], ready[2];
static unsigned locked = 1;

static long now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

/* System calls are made by syscall(), which leaves the frame pointer alone: the functions of a C
 * library may use that register for something else, and then only unwind tables find their caller. */
NOT_INLINED void sleep_for(long nanoseconds)
{
	struct timespec time = { nanoseconds / 1000000000L, nanoseconds % 1000000000L };

	syscall(SYS_nanosleep, &time, NULL);
	__asm__ volatile(""); /* no tail call */
}

/* All on one CPU: the last one we may use. */
static void pin(void)
{
	cpu_set_t allowed, one;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	CPU_ZERO(&one);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (CPU_ISSET(cpu, &allowed)) {
			CPU_SET(cpu, &one);
			break;
		}
	}
	sched_setaffinity(0, sizeof(one), &one);
}

NOT_INLINED void burn(long nanoseconds)
{
	long end = now(CLOCK_THREAD_CPUTIME_ID) + nanoseconds;
	volatile unsigned long sum = 0;

	do {
		for (int i = 0; i < 100000; i++)
			sum += i;
	} while (now(CLOCK_THREAD_CPUTIME_ID) < end);
}

NOT_INLINED void sleep_often(void)
{
	for (int i = 0; i < 25; i++)
		sleep_for(20 * MILLISECOND);
	__asm__ volatile("");
}

NOT_INLINED void read_byte(void)
{
	char byte = 'r';

	if (syscall(SYS_write, ready[1], &byte, 1) != 1 || syscall(SYS_read, wire[0], &byte, 1) != 1)
		abort();
	__asm__ volatile("");
}

NOT_INLINED void read_once(void)
{
	read_byte();
	__asm__ volatile("");
}

NOT_INLINED void wait_for_lock(void)
{
	char byte = 'l';

	if (syscall(SYS_write, ready[1], &byte, 1) != 1)
		abort();
	while (__atomic_load_n(&locked, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &locked, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
	__asm__ volatile("");
}

NOT_INLINED void lock_once(void)
{
	wait_for_lock();
	__asm__ volatile("");
}

NOT_INLINED void spin(void)
{
	burn(300 * MILLISECOND);
	__asm__ volatile("");
}

NOT_INLINED void compete(void)
{
	pin();
	burn(200 * MILLISECOND);
	__asm__ volatile("");
}

struct role {
	const char *name;
	void (*work)(void);
	long made;
};

static struct role roles[] = {
	{ "sleeper", sleep_often }, { "reader", read_once }, { "locker", lock_once },
	{ "spinner", spin },	    { "rival-1", compete },  { "rival-2", compete },
};
#define ROLES (sizeof(roles) / sizeof(roles[0]))

static void *play(void *argument)
{
	const struct role *role = argument;
	long began = now(CLOCK_MONOTONIC), before, worked, used;

	pthread_setname_np(pthread_self(), role->name);
	before = now(CLOCK_MONOTONIC);
	role->work();
	worked = now(CLOCK_MONOTONIC) - before;
	used = now(CLOCK_THREAD_CPUTIME_ID);
	dprintf(report, "%s tid=%ld made=%ld began=%ld worked=%ld used=%ld\n", role->name,
		syscall(SYS_gettid), role->made, began, worked, used);
	for (;;)
		pause();
	return NULL;
}

static void play_all(const char *path)
{
	pthread_t threads[ROLES];
	char byte;
	int lines = 0;

	report = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (report < 0 || pipe(wire) != 0 || pipe(ready) != 0)
		exit(1);
	stop_until_continued();
	for (unsigned i = 0; i < ROLES; i++) {
		roles[i].made = now(CLOCK_MONOTONIC);
		pthread_create(&threads[i], NULL, play, &roles[i]);
	}
	for (int i = 0; i < 2; i++)
		if (read(ready[0], &byte, 1) != 1)
			exit(1);
	sleep_for(300 * MILLISECOND);
	__atomic_store_n(&locked, 0, __ATOMIC_RELEASE);
	syscall(SYS_futex, &locked, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	if (write(wire[1], "x", 1) != 1)
		exit(1);
	while (lines < (int)ROLES) {
		char text[4096];
		long size = pread(report, text, sizeof(text), 0);

		sleep_for(10 * MILLISECOND);
		lines = 0;
		for (long i = 0; i < size; i++)
			lines += text[i] == '\n';
	}
	dprintf(report, "done\n");
	for (;;)
		pause();
}

static int there[2], back[2];

static void *answer(void *argument)
{
	char byte;

	while (read(there[0], &byte, 1) == 1)
		if (write(back[1], &byte, 1) != 1)
			break;
	return argument;
}

/* Threads from here on do not preempt each other when they are woken (sched(7), SCHED_BATCH). Where they
 * do, every time, one of the two finds its byte there whenever it runs, and never waits. */
static void wait_for_turns(void)
{
	const struct sched_param none = { 0 };

	if (sched_setscheduler(0, SCHED_BATCH, &none) != 0)
		exit(1);
}

/* Each round is two switches: there, and back. */
static void hand_over(long rounds, bool stops)
{
	pthread_t other;
	char byte = 'x';
	long began;

	if (pipe(there) != 0 || pipe(back) != 0)
		exit(1);
	pin();
	if (stops)
		wait_for_turns();
	pthread_create(&other, NULL, answer, NULL);
	if (stops)
		stop_until_continued();
	began = now(CLOCK_PROCESS_CPUTIME_ID);
	for (long i = 0; i < rounds; i++)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			exit(1);
	printf("switch_ns %.1f\n", (now(CLOCK_PROCESS_CPUTIME_ID) - began) / (2.0 * rounds));
	fflush(stdout);
	if (stops)
		stop_until_continued();
	close(there[1]);
	pthread_join(other, NULL);
}

static long rounds_each, woken_thread;
static unsigned is_free;

NOT_INLINED void block_on_futex(void)
{
	syscall(SYS_futex, &is_free, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	__asm__ volatile("");
}

NOT_INLINED void wait_for_futex(void)
{
	while (!__atomic_exchange_n(&is_free, 0, __ATOMIC_ACQ_REL))
		block_on_futex();
	__asm__ volatile("");
}

NOT_INLINED void block_on_pipe(void)
{
	char byte;

	if (syscall(SYS_read, there[0], &byte, 1) != 1)
		exit(1);
	__asm__ volatile("");
}

NOT_INLINED void wait_for_pipe(void)
{
	block_on_pipe();
	__asm__ volatile("");
}

NOT_INLINED void wait_for_timer(void)
{
	sleep_for(MILLISECOND);
	__asm__ volatile("");
}

static void *wait_for_all(void *argument)
{
	pthread_setname_np(pthread_self(), "woken");
	__atomic_store_n(&woken_thread, syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (long i = 0; i < rounds_each; i++)
		wait_for_futex();
	for (long i = 0; i < rounds_each; i++)
		wait_for_pipe();
	for (long i = 0; i < rounds_each; i++)
		wait_for_timer();
	return argument;
}

/* Until the other thread is off the CPU, in a system call. On the same CPU it has got there whenever we
 * run. */
static void await_call(long number)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/syscall",
		 __atomic_load_n(&woken_thread, __ATOMIC_ACQUIRE));
	for (;;) {
		int file = open(path, O_RDONLY | O_CLOEXEC);
		long size = read(file, text, sizeof(text) - 1);

		close(file);
		text[size < 0 ? 0 : size] = 0;
		if (size > 0 && text[0] != 'r' && strtol(text, NULL, 10) == number)
			return;
		sched_yield();
	}
}

NOT_INLINED void release_futex(void)
{
	__atomic_store_n(&is_free, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &is_free, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	__asm__ volatile("");
}

NOT_INLINED void wake_by_futex(void)
{
	release_futex();
	__asm__ volatile("");
}

NOT_INLINED void write_byte(void)
{
	char byte = 'w';

	if (syscall(SYS_write, there[1], &byte, 1) != 1)
		exit(1);
	__asm__ volatile("");
}

NOT_INLINED void wake_by_pipe(void)
{
	write_byte();
	__asm__ volatile("");
}

static void wake_often(long rounds)
{
	pthread_t other;

	rounds_each = rounds;
	if (pipe(there) != 0)
		exit(1);
	pin();
	stop_until_continued();
	pthread_create(&other, NULL, wait_for_all, NULL);
	while (!__atomic_load_n(&woken_thread, __ATOMIC_ACQUIRE))
		sched_yield();
	for (long i = 0; i < rounds; i++) {
		await_call(SYS_futex);
		wake_by_futex();
	}
	for (long i = 0; i < rounds; i++) {
		await_call(SYS_read);
		wake_by_pipe();
	}
	pthread_join(other, NULL);
}

int main(int count, char **arguments)
{
	if (count >= 3 && strcmp(arguments[1], "switch") == 0) {
		hand_over(atol(arguments[2]), count > 3 && strcmp(arguments[3], "stop") == 0);
	} else if (count == 3 && strcmp(arguments[1], "sleep") == 0) {
		stop_until_continued();
		sleep_for((long)(atof(arguments[2]) * 1e9));
	} else if (count == 3 && strcmp(arguments[1], "wakers") == 0) {
		wake_often(atol(arguments[2]));
	} else if (count == 2) {
		play_all(arguments[1]);
	} else {
		fprintf(stderr, "usage: waits REPORT | switch ROUNDS [stop] | sleep SECONDS | wakers ROUNDS\n");
		return 2;
	}
	return 0;
}
