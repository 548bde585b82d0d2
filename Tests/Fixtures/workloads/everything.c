/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something for every tracer, in a network namespace of its own (needs CAP_SYS_ADMIN, else exit 77).
 * Stops itself; continued:
 *   50 TCP connections on loopback, each 20,000 bytes up and 100 bytes down; 2,000 UDP datagrams of
 *   512 bytes, every one received; 10 mappings of 1 MiB, each of whose pages is touched once;
 *   100,000 getppid; then it computes for a while.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "stopped.h"

enum { CONNECTIONS = 50, UP = 20000, DOWN = 100, DATAGRAMS = 2000, DATAGRAM = 512 };
enum { MAPPINGS = 10, MAPPING = 1 << 20, CALLS = 100000, ADDITIONS = 400000000 };

static char buffer[UP];

static void require(int holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	exit(1);
}

static void bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int any = socket(AF_INET, SOCK_DGRAM, 0);

	require(any >= 0, "socket");
	require(ioctl(any, SIOCGIFFLAGS, &request) == 0, "SIOCGIFFLAGS");
	request.ifr_flags |= IFF_UP;
	require(ioctl(any, SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
	close(any);
}

/* A socket bound to a free port of 127.0.0.1, whose address is left in `address`. */
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

static void transfer(int from, int to, size_t size)
{
	for (size_t sent = 0, received = 0; received < size;) {
		ssize_t count;

		if (sent < size) {
			count = send(from, buffer, size - sent, 0);
			require(count > 0, "send");
			sent += count;
		}
		count = recv(to, buffer, sizeof(buffer), 0);
		require(count > 0, "recv");
		received += count;
	}
}

/* Touches each page of fresh memory once. */
static void map_and_touch(void)
{
	for (int i = 0; i < MAPPINGS; i++) {
		volatile char *memory = mmap(NULL, MAPPING, PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		require(memory != MAP_FAILED, "mmap");
		/* One fault for each page, and not one for several. */
		madvise((void *)memory, MAPPING, MADV_NOHUGEPAGE);
		for (int offset = 0; offset < MAPPING; offset += 4096)
			memory[offset] = 1;
	}
}

__attribute__((noinline)) static void compute(void)
{
	for (volatile int i = 0; i < ADDITIONS; i++)
		;
}

int main(void)
{
	struct sockaddr_in tcp, udp;
	int listener, receiver, sender;

	if (unshare(CLONE_NEWNET) != 0) {
		perror("unshare");
		return 77;
	}
	bring_loopback_up();
	listener = bound_socket(SOCK_STREAM, &tcp);
	require(listen(listener, CONNECTIONS) == 0, "listen");
	receiver = bound_socket(SOCK_DGRAM, &udp);
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	require(sender >= 0, "socket");

	stop_until_continued();
	for (int i = 0; i < CONNECTIONS; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0), server;

		require(client >= 0, "socket");
		require(connect(client, (struct sockaddr *)&tcp, sizeof(tcp)) == 0, "connect");
		server = accept(listener, NULL, NULL);
		require(server >= 0, "accept");
		transfer(client, server, UP);
		transfer(server, client, DOWN);
		close(client);
		close(server);
	}
	for (int i = 0; i < DATAGRAMS; i++) {
		require(sendto(sender, buffer, DATAGRAM, 0, (struct sockaddr *)&udp, sizeof(udp)) ==
				DATAGRAM,
			"sendto");
		require(recv(receiver, buffer, sizeof(buffer), 0) == DATAGRAM, "recv");
	}
	map_and_touch();
	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	compute();
	_exit(0);
}
