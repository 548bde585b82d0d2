/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU time of one TCP connection on loopback, opened, accepted and closed at both ends, or of one
 * byte sent and sent back over an open one.
 *
 * usage: connect storm COUNT | connect echo COUNT
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

static void require(int holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	exit(1);
}

int main(int count, char **arguments)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	long number = count > 2 ? atol(arguments[2]) : 0;
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client, server, one = 1;
	uint64_t start;
	char byte = 1;

	require(number > 0, "usage: connect storm|echo COUNT");
	require(bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
	require(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
	require(listen(listener, 128) == 0, "listen");
	if (strcmp(arguments[1], "storm") == 0) {
		start = cpu_now();
		for (long i = 0; i < number; i++) {
			client = socket(AF_INET, SOCK_STREAM, 0);
			require(connect(client, (struct sockaddr *)&address, size) == 0, "connect");
			server = accept(listener, NULL, NULL);
			require(server >= 0, "accept");
			close(client);
			close(server);
		}
		printf("connection_ns %.0f\n", (double)(cpu_now() - start) / number);
		return 0;
	}
	client = socket(AF_INET, SOCK_STREAM, 0);
	require(connect(client, (struct sockaddr *)&address, size) == 0, "connect");
	server = accept(listener, NULL, NULL);
	require(server >= 0, "accept");
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	start = cpu_now();
	for (long i = 0; i < number; i++)
		require(send(client, &byte, 1, 0) == 1 && recv(server, &byte, 1, 0) == 1 &&
				send(server, &byte, 1, 0) == 1 && recv(client, &byte, 1, 0) == 1,
			"echo");
	printf("echo_ns %.0f\n", (double)(cpu_now() - start) / number);
	return 0;
}
