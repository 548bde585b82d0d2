/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: congestion NAME CONNECTIONS BYTES
 *
 * Makes connections over loopback, one after the other, whose clients use the congestion control NAME.
 * Each client sends BYTES bytes, the server reads them all, and both ends are closed. Prints the name
 * that the kernel gives back. 0, or 1 with a message when a call fails.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
}

static void transfer(int client, int server, long bytes)
{
	static char buffer[4096];

	while (bytes > 0) {
		long count = bytes < (long)sizeof(buffer) ? bytes : (long)sizeof(buffer);
		ssize_t sent = send(client, buffer, count, 0);

		check(sent, "send");
		for (ssize_t received = 0; received < sent;) {
			ssize_t more = recv(server, buffer, sent - received, 0);

			check(more, "recv");
			received += more;
		}
		bytes -= sent;
	}
}

int main(int count, char **arguments)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	char name[16] = "";
	socklen_t length = sizeof(name);

	if (count != 4)
		return 64;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	check(listener, "socket");
	check(bind(listener, (struct sockaddr *)&address, size), "bind");
	check(getsockname(listener, (struct sockaddr *)&address, &size), "getsockname");
	check(listen(listener, 8), "listen");
	for (long connections = atol(arguments[2]); connections > 0; connections--) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		check(client, "socket");
		check(setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, arguments[1],
				 strlen(arguments[1])),
		      "TCP_CONGESTION");
		length = sizeof(name);
		check(getsockopt(client, IPPROTO_TCP, TCP_CONGESTION, name, &length), "TCP_CONGESTION");
		check(connect(client, (struct sockaddr *)&address, size), "connect");
		int server = accept(listener, NULL, NULL);
		check(server, "accept");
		transfer(client, server, atol(arguments[3]));
		/* The server's end first, so that no state of the client's lingers. */
		check(close(server), "close");
		check(close(client), "close");
	}
	printf("%s\n", name);
	return 0;
}
