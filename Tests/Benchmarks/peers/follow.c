/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: follow CONNECT COUNT TOOL [ARGUMENT...]
 *
 * Starts a tool that prints a line for each event, and has it follow the program CONNECT (connect.c):
 * one connection again and again until the tool prints a line with "connect" in it, then COUNT
 * connections; SIGINT when the tool has had nothing more to say for 200 ms. Prints first_event_ns (from the
 * tool's start to that line), cpu_ns (user and kernel) and max_rss_kb of the tool, and the number of
 * such lines.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

static char line[4096];
static size_t filled;
static uint64_t lines, first_line;

static uint64_t microseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void require_success(const char *program, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	fprintf(stderr, "%s ended with wait status %#x\n", program, status);
	exit(1);
}

static pid_t start(char **command, int output)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child > 0)
		return child;
	if (dup2(output, 1) < 0)
		fail("dup2");
	execvp(command[0], command);
	fail(command[0]);
	return -1;
}

static void note(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] != '\n') {
			if (filled < sizeof(line) - 1)
				line[filled++] = text[i];
			continue;
		}
		line[filled] = 0;
		filled = 0;
		if (!strstr(line, "connect"))
			continue;
		if (lines++ == 0)
			first_line = nanoseconds(CLOCK_MONOTONIC);
	}
}

/* Reads what a tool prints within some time; 0 when it printed nothing, negative at its end. */
static int listen_to(int output, int milliseconds)
{
	struct pollfd wait = { .fd = output, .events = POLLIN };
	char text[65536];
	ssize_t size;

	if (poll(&wait, 1, milliseconds) <= 0)
		return 0;
	size = read(output, text, sizeof(text));
	if (size <= 0)
		return -1;
	note(text, (size_t)size);
	return 1;
}

/* Whether the tool closes its output before it says nothing for a time. */
static int ends_within(int output, int milliseconds)
{
	int heard;

	do
		heard = listen_to(output, milliseconds);
	while (heard > 0);
	return heard < 0;
}

/* Until the work is done, what the tool prints is read: it may not have to wait for us. */
static void connect_often(char *program, char *number, int nowhere, int output)
{
	char *command[] = { program, "storm", number, NULL };
	pid_t child = start(command, nowhere);
	int status;

	while (waitpid(child, &status, WNOHANG) == 0)
		if (listen_to(output, 1) < 0) {
			fputs("the tool ended before it was told to\n", stderr);
			exit(1);
		}
	require_success(program, status);
}

int main(int count, char **arguments)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC), ends[2], status;
	struct rusage usage;
	uint64_t began;
	pid_t tool;

	if (count < 4) {
		fputs("usage: follow CONNECT COUNT TOOL [ARGUMENT...]\n", stderr);
		return 64;
	}
	if (nowhere < 0 || pipe2(ends, O_CLOEXEC) != 0)
		fail("pipe");
	began = nanoseconds(CLOCK_MONOTONIC);
	tool = start(arguments + 3, ends[1]);
	close(ends[1]);
	while (lines == 0) {
		if (nanoseconds(CLOCK_MONOTONIC) - began > 30000000000) {
			fprintf(stderr, "%s: no event in 30 s\n", arguments[3]);
			kill(tool, SIGKILL);
			return 1;
		}
		connect_often(arguments[1], "1", nowhere, ends[0]);
	}
	connect_often(arguments[1], arguments[2], nowhere, ends[0]);
	if (ends_within(ends[0], 200))
		fputs("the tool ended before it was told to\n", stderr);
	/* More than once: bpftrace may miss the first. */
	do
		kill(tool, SIGINT);
	while (ends_within(ends[0], 2000) == 0);
	if (wait4(tool, &status, 0, &usage) != tool)
		fail("wait4");
	require_success(arguments[3], status);
	print_figure("first_event_ns", first_line - began);
	print_figure("cpu_ns",
		     (microseconds(usage.ru_utime) + microseconds(usage.ru_stime)) * 1000);
	print_figure("max_rss_kb", (uint64_t)usage.ru_maxrss);
	print_figure("lines", lines);
	return 0;
}
