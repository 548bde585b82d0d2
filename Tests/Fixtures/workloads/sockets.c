/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known network work in a network namespace of its own (needs CAP_SYS_ADMIN, else exit 77).
 *
 *   sockets existing      a connection, 5,000 bytes up. Stops. 7,000 up and 300 down. Stops. Closes.
 *   sockets failures      Stops. A connect that is refused, one that is refused later (non-blocking),
 *                         one without a route, one to an unreachable network, one whose port is
 *                         taken, one to a closed port over IPv6.
 *   sockets version6      Stops. 10 connections over ::1 and 10 over IPv4 from IPv6 sockets, 1,000
 *                         bytes up each; 5 datagrams of 100 bytes over ::1.
 *   sockets many COUNT    Stops. COUNT connections, 10 bytes up each, up to 8,000 open at the same
 *                         time (16,000 descriptors).
 *   sockets rounds COUNT  Stops. COUNT connections, 10 bytes up each, one after the other.
 *   sockets retransmit    Stops. Connects over a link that loses everything, until a SYN was sent
 *                         three times; gives up.
 *   sockets reset         Stops. A connection that one side ends with a reset.
 *   sockets datagrams COUNT SOCKETS
 *                         Three times: stops; COUNT datagrams of 8 bytes from each of SOCKETS
 *                         sockets, received; one is looked at before it is taken.
 *   sockets dns           Stops. Asks a server on port 53 of its own: see serve().
 *   sockets twice         Stops. One connection, 1,000 bytes up. Stops. The same again. Stops. Again.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "stopped.h"

static char buffer[65536];

static void require(int holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	exit(1);
}

static void enter_namespace(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int any;

	if (unshare(CLONE_NEWNET) != 0) {
		perror("unshare");
		exit(77);
	}
	any = socket(AF_INET, SOCK_DGRAM, 0);
	require(any >= 0, "socket");
	require(ioctl(any, SIOCGIFFLAGS, &request) == 0, "SIOCGIFFLAGS");
	request.ifr_flags |= IFF_UP;
	require(ioctl(any, SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
	close(any);
}

struct address {
	struct sockaddr_storage storage;
	socklen_t size;
};

static struct address address(const char *text, int port)
{
	struct address result = { .size = sizeof(struct sockaddr_in) };
	struct sockaddr_in *four = (void *)&result.storage;
	struct sockaddr_in6 *six = (void *)&result.storage;

	if (strchr(text, ':')) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		require(inet_pton(AF_INET6, text, &six->sin6_addr) == 1, text);
		result.size = sizeof(*six);
	} else {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		require(inet_pton(AF_INET, text, &four->sin_addr) == 1, text);
	}
	return result;
}

static int connect_to(int fd, const struct address *where)
{
	return connect(fd, (const struct sockaddr *)&where->storage, where->size);
}

/* A socket bound to `where`, whose port is filled in. */
static int bound(int type, struct address *where)
{
	int fd = socket(where->storage.ss_family, type, 0), one = 1;

	require(fd >= 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	require(bind(fd, (struct sockaddr *)&where->storage, where->size) == 0, "bind");
	require(getsockname(fd, (struct sockaddr *)&where->storage, &where->size) == 0,
		"getsockname");
	return fd;
}

static int listening(struct address *where)
{
	int fd = bound(SOCK_STREAM, where);

	require(listen(fd, 4096) == 0, "listen");
	return fd;
}

static void transfer(int from, int to, size_t size)
{
	for (size_t done = 0; done < size;) {
		size_t part = size - done < sizeof(buffer) ? size - done : sizeof(buffer);
		ssize_t count = send(from, buffer, part, 0);

		require(count > 0, "send");
		for (ssize_t left = count; left > 0;) {
			ssize_t got = recv(to, buffer, left, 0);

			require(got > 0, "recv");
			left -= got;
		}
		done += count;
	}
}

struct pair {
	int client, server;
};

static struct pair connected(int listener, const struct address *where)
{
	struct pair pair = { .client = socket(where->storage.ss_family, SOCK_STREAM, 0) };

	require(pair.client >= 0, "socket");
	require(connect_to(pair.client, where) == 0, "connect");
	pair.server = accept(listener, NULL, NULL);
	require(pair.server >= 0, "accept");
	return pair;
}

static void close_pair(struct pair pair)
{
	close(pair.client);
	close(pair.server);
}

static void existing(void)
{
	struct address where = address("127.0.0.1", 0);
	struct pair pair = connected(listening(&where), &where);

	transfer(pair.client, pair.server, 5000);
	stop_until_continued();
	transfer(pair.client, pair.server, 7000);
	transfer(pair.server, pair.client, 300);
	stop_until_continued();
	close_pair(pair);
}

static void expect_failure(int result, int error, const char *what)
{
	if (result != -1 || errno != error) {
		fprintf(stderr, "%s: result %d, errno %d instead of %d\n", what, result, errno, error);
		exit(1);
	}
}

static void failures(void)
{
	struct address closed = address("127.0.0.1", 1), far = address("203.0.113.7", 81);
	struct address barred = address("198.51.100.7", 82), closed6 = address("::1", 2);
	struct address taken = address("127.0.0.1", 4321), open = address("127.0.0.1", 0);
	struct pollfd polled = { .events = POLLOUT };
	int listener = listening(&open), error = 0, first, second;
	socklen_t size = sizeof(error);

	require(system("ip route add unreachable 198.51.100.0/24") == 0, "ip route");
	stop_until_continued();
	expect_failure(connect_to(socket(AF_INET, SOCK_STREAM, 0), &closed), ECONNREFUSED, "refused");

	polled.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	closed.storage.ss_family = AF_INET;
	((struct sockaddr_in *)&closed.storage)->sin_port = htons(3);
	if (connect_to(polled.fd, &closed) != 0 && errno == EINPROGRESS) {
		require(poll(&polled, 1, -1) == 1, "poll");
		require(getsockopt(polled.fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0, "SO_ERROR");
		require(error == ECONNREFUSED, "non-blocking");
	} else {
		require(errno == ECONNREFUSED, "non-blocking, at once");
	}
	expect_failure(connect_to(socket(AF_INET, SOCK_STREAM, 0), &far), ENETUNREACH, "no route");
	expect_failure(connect_to(socket(AF_INET, SOCK_STREAM, 0), &barred), EHOSTUNREACH, "barred");

	first = bound(SOCK_STREAM, &taken);
	require(connect_to(first, &open) == 0, "connect");
	second = bound(SOCK_STREAM, &taken);
	expect_failure(connect_to(second, &open), EADDRNOTAVAIL, "taken");
	close(first);
	close(listener);
	expect_failure(connect_to(socket(AF_INET6, SOCK_STREAM, 0), &closed6), ECONNREFUSED, "::1");
}

static void version6(void)
{
	struct address where = address("::1", 0), any = address("::", 0), mapped, udp;
	int first = listening(&where), second = listening(&any), sender, receiver;

	mapped = address("::ffff:127.0.0.1",
			 ntohs(((struct sockaddr_in6 *)&any.storage)->sin6_port));
	udp = address("::1", 0);
	receiver = bound(SOCK_DGRAM, &udp);
	sender = socket(AF_INET6, SOCK_DGRAM, 0);
	require(sender >= 0, "socket");
	stop_until_continued();
	for (int i = 0; i < 20; i++) {
		struct pair pair = i < 10 ? connected(first, &where) : connected(second, &mapped);

		transfer(pair.client, pair.server, 1000);
		close_pair(pair);
	}
	for (int i = 0; i < 5; i++) {
		require(sendto(sender, buffer, 100, 0, (struct sockaddr *)&udp.storage, udp.size) == 100,
			"sendto");
		require(recv(receiver, buffer, sizeof(buffer), 0) == 100, "recv");
	}
}

static void many(int count, int open)
{
	struct rlimit limit;
	struct address where = address("127.0.0.1", 0);
	int listener = listening(&where);
	struct pair *pairs = calloc(count, sizeof(*pairs));

	require(pairs != NULL, "calloc");
	require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	require(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
	stop_until_continued();
	for (int i = 0; i < count; i++) {
		pairs[i] = connected(listener, &where);
		transfer(pairs[i].client, pairs[i].server, 10);
		if (i >= open - 1)
			close_pair(pairs[i - (open - 1)]);
	}
	for (int i = count < open ? 0 : count - (open - 1); i < count; i++)
		close_pair(pairs[i]);
}

static void retransmit(void)
{
	struct address nobody = address("10.77.0.2", 80);
	struct tcp_info info;
	socklen_t size = sizeof(info);
	int fd;

	require(system("ip link add v0 type veth peer name v1 && ip link set v0 up && "
		       "ip link set v1 up && ip addr add 10.77.0.1/24 dev v0 && "
		       "ip neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev v0 nud permanent") == 0,
		"veth");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	stop_until_continued();
	expect_failure(connect_to(fd, &nobody), EINPROGRESS, "connect");
	do {
		require(poll(NULL, 0, 50) == 0, "poll");
		require(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0, "TCP_INFO");
	} while (info.tcpi_total_retrans < 2);
	close(fd);
}

static void reset(void)
{
	struct linger at_once = { .l_onoff = 1 };
	struct address where = address("127.0.0.1", 0);
	int listener = listening(&where);
	struct pair pair;

	stop_until_continued();
	pair = connected(listener, &where);
	transfer(pair.client, pair.server, 100);
	require(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0,
		"SO_LINGER");
	close(pair.client);
	expect_failure(recv(pair.server, buffer, 1, 0), ECONNRESET, "recv");
	close(pair.server);
}

static void datagrams(int count, int sockets)
{
	struct address where = address("127.0.0.1", 0);
	int receiver = bound(SOCK_DGRAM, &where);

	for (int i = 0; i < 3 * sockets; i++) {
		int sender = socket(AF_INET, SOCK_DGRAM, 0);

		if (i % sockets == 0)
			stop_until_continued();
		require(sender >= 0, "socket");
		for (int j = 0; j < count; j++) {
			require(sendto(sender, buffer, 8, 0, (struct sockaddr *)&where.storage,
				       where.size) == 8,
				"sendto");
			if (i == 0 && j == 0)
				require(recv(receiver, buffer, 8, MSG_PEEK) == 8, "peek");
			require(recv(receiver, buffer, 8, 0) == 8, "recv");
		}
		close(sender);
	}
}

static void twice(void)
{
	struct address where = address("127.0.0.1", 0);
	int listener = listening(&where);

	for (int i = 0; i < 3; i++) {
		struct pair pair;

		stop_until_continued();
		pair = connected(listener, &where);
		transfer(pair.client, pair.server, 1000);
		close_pair(pair);
	}
}

/* ---- DNS ---- */

/* A question for `name`, whose labels are separated by dots; returns its size. */
static size_t question(unsigned char *packet, unsigned id, const char *name, int type)
{
	unsigned char *next = packet + 12;

	memset(packet, 0, 12);
	packet[0] = id >> 8;
	packet[1] = id;
	packet[2] = 1; /* recursion desired */
	packet[5] = 1;
	while (*name) {
		size_t length = strcspn(name, ".");

		*next++ = length;
		memcpy(next, name, length);
		next += length;
		name += length + (name[length] == '.');
	}
	*next++ = 0;
	*next++ = type >> 8;
	*next++ = type;
	*next++ = 0;
	*next++ = 1; /* IN */
	return next - packet;
}

/*
 * Answers by the first letter of the name: a: NOERROR and one record; m: NXDOMAIN; r: REFUSED and
 * no question; b: an answer whose name runs past its end; anything else: silence. Ends at "end".
 */
static void serve(int fd)
{
	for (;;) {
		unsigned char packet[512];
		struct address from = { .size = sizeof(from.storage) };
		ssize_t size = recvfrom(fd, packet, sizeof(packet), 0,
					(struct sockaddr *)&from.storage, &from.size);

		require(size >= 12, "recvfrom");
		packet[2] |= 0x80;
		switch (packet[13]) {
		case 'a':
			packet[7] = 1;
			memcpy(packet + size, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1", 16);
			size += 16;
			break;
		case 'm':
			packet[3] = 3;
			break;
		case 'r':
			packet[3] = 5;
			packet[5] = 0;
			size = 12;
			break;
		case 'b':
			packet[12] = 63;
			break;
		case 'e':
			exit(0);
		default:
			continue;
		}
		require(sendto(fd, packet, size, 0, (struct sockaddr *)&from.storage, from.size) == size,
			"sendto");
	}
}

static void ask(int fd, unsigned id, const char *name, int type, int is_answered)
{
	unsigned char packet[512];
	size_t size = question(packet, id, name, type);

	require(send(fd, packet, size, 0) == (ssize_t)size, "send");
	if (is_answered)
		require(recv(fd, packet, sizeof(packet), 0) > 0, "recv");
}

static void dns(void)
{
	struct address where = address("127.0.0.1", 53), where6 = address("::1", 53);
	int server = bound(SOCK_DGRAM, &where), server6 = bound(SOCK_DGRAM, &where6), fd, fd6;
	pid_t child = fork(), child6;

	require(child >= 0, "fork");
	if (child == 0)
		serve(server);
	child6 = fork();
	require(child6 >= 0, "fork");
	if (child6 == 0)
		serve(server6);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	fd6 = socket(AF_INET6, SOCK_DGRAM, 0);
	require(connect_to(fd, &where) == 0 && connect_to(fd6, &where6) == 0, "connect");
	stop_until_continued();
	for (int i = 0; i < 20; i++)
		ask(fd, 100 + i, "answer.test", 1, 1);
	ask(fd, 200, "missing.example.test", 28, 1);
	ask(fd, 300, "refused.test", 15, 1);
	ask(fd, 400, "silent.test", 16, 0);
	ask(fd, 400, "silent.test", 16, 0);
	ask(fd, 500, "broken.test", 1, 1);
	require(send(fd, "no dns", 6, 0) == 6 || errno == ECONNREFUSED, "send");
	ask(fd6, 600, "answer.version6.test", 28, 1);
	kill(child, SIGKILL);
	kill(child6, SIGKILL);
	require(waitpid(child, NULL, 0) == child && waitpid(child6, NULL, 0) == child6, "waitpid");
}

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";
	int number = count > 2 ? atoi(arguments[2]) : 0;

	enter_namespace();
	if (strcmp(what, "existing") == 0)
		existing();
	else if (strcmp(what, "failures") == 0)
		failures();
	else if (strcmp(what, "version6") == 0)
		version6();
	else if (strcmp(what, "many") == 0)
		many(number, 8000);
	else if (strcmp(what, "rounds") == 0)
		many(number, 1);
	else if (strcmp(what, "retransmit") == 0)
		retransmit();
	else if (strcmp(what, "reset") == 0)
		reset();
	else if (strcmp(what, "datagrams") == 0)
		datagrams(number, count > 3 ? atoi(arguments[3]) : 1);
	else if (strcmp(what, "dns") == 0)
		dns();
	else if (strcmp(what, "twice") == 0)
		twice();
	else
		return 64;
	_exit(0);
}
