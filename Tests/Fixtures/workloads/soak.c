/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: soak SECONDS
 *
 * In a network namespace of its own (needs CAP_SYS_ADMIN, else exit 77), again and again until the
 * time is over, about a hundred times a second: 200 calls of getppid; a TCP connection with 1,000
 * bytes up and 100 down; a datagram of 64 bytes; 20 blocks allocated, 19 of them freed; every tenth
 * time a process that executes /bin/true. Then prints what it did, one `name count` a line.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 200, UP = 1000, DOWN = 100, DATAGRAM = 64, BLOCKS = 20, PROGRAMS = 10 };

static char buffer[UP];

static void require(int holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int bound_socket(int type, struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, type, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	require(fd >= 0, "socket");
	require(bind(fd, (struct sockaddr *)address, sizeof(*address)) == 0, "bind");
	require(getsockname(fd, (struct sockaddr *)address, &size) == 0, "getsockname");
	return fd;
}

static void transfer(int from, int to, ssize_t size)
{
	require(send(from, buffer, size, 0) == size, "send");
	require(recv(to, buffer, size, MSG_WAITALL) == size, "recv");
}

static void connect_once(int listener, const struct sockaddr_in *address)
{
	/* No TIME_WAIT: there are fewer ports than connections. */
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int client = socket(AF_INET, SOCK_STREAM, 0), server;

	require(client >= 0, "socket");
	require(connect(client, (const struct sockaddr *)address, sizeof(*address)) == 0, "connect");
	server = accept(listener, NULL, NULL);
	require(server >= 0, "accept");
	transfer(client, server, UP);
	transfer(server, client, DOWN);
	require(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0, "linger");
	close(client);
	close(server);
}

static void execute(void)
{
	static char *const arguments[] = { "true", NULL };
	pid_t child = fork();

	require(child >= 0, "fork");
	if (child == 0) {
		execve("/bin/true", arguments, NULL);
		_exit(127);
	}
	require(waitpid(child, NULL, 0) == child, "waitpid");
}

int main(int count, char **arguments)
{
	struct ifreq request = { .ifr_name = "lo" };
	struct sockaddr_in tcp, udp;
	int listener, receiver, sender;
	unsigned long rounds = 0;
	double begin, end;
	char text[256];
	int length;

	if (count != 2)
		return 64;
	if (unshare(CLONE_NEWNET) != 0) {
		perror("unshare");
		return 77;
	}
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	require(sender >= 0, "socket");
	require(ioctl(sender, SIOCGIFFLAGS, &request) == 0, "SIOCGIFFLAGS");
	request.ifr_flags |= IFF_UP;
	require(ioctl(sender, SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
	listener = bound_socket(SOCK_STREAM, &tcp);
	require(listen(listener, 8) == 0, "listen");
	receiver = bound_socket(SOCK_DGRAM, &udp);

	begin = now();
	end = begin + atof(arguments[1]);
	while (now() < end) {
		struct timespec until = { 0, 0 };
		double next;

		for (int i = 0; i < CALLS; i++)
			syscall(SYS_getppid);
		connect_once(listener, &tcp);
		require(sendto(sender, buffer, DATAGRAM, 0, (struct sockaddr *)&udp, sizeof(udp)) ==
				DATAGRAM,
			"sendto");
		require(recv(receiver, buffer, DATAGRAM, 0) == DATAGRAM, "recv");
		for (int i = 0; i < BLOCKS; i++) {
			void *volatile block = malloc(100 + i);

			require(block != NULL, "malloc");
			if (i > 0)
				free(block);
		}
		if (rounds % PROGRAMS == 0)
			execute();
		rounds++;
		next = begin + rounds / 100.0;
		until.tv_sec = next;
		until.tv_nsec = (next - until.tv_sec) * 1e9;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	length = snprintf(text, sizeof(text),
			  "pid %d\nrounds %lu\ngetppid %lu\nconnects %lu\nbytes %lu\nmessages %lu\n"
			  "allocations %lu\nfrees %lu\nprograms %lu\n",
			  getpid(), rounds, rounds * CALLS, rounds, rounds * (UP + DOWN + DATAGRAM),
			  rounds, rounds * BLOCKS, rounds * (BLOCKS - 1),
			  (rounds + PROGRAMS - 1) / PROGRAMS);
	require(write(1, text, length) == length, "write");
	_exit(0);
}
