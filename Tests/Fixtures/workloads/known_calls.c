/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops itself; continued, makes one call after the other whose arguments are known, into the folder
 * given. What each should look like is in the test.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "stopped.h"

int main(int count, char **arguments)
{
	struct sockaddr_in internet = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 internet6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct timespec pause = { 0, 1000000 };
	char text[64], longest[600];
	int ends[2], word = 1;

	if (count != 2 || chdir(arguments[1]) != 0)
		return 2;
	inet_pton(AF_INET, "127.0.0.1", &internet.sin_addr);
	inet_pton(AF_INET6, "::1", &internet6.sin6_addr);
	strcpy(local.sun_path, "/nowhere/socket");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	stop_until_continued();

	int file = syscall(SYS_openat, AT_FDCWD, "new\nfile", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	syscall(SYS_write, file, "hello \"world\"\n", 14);
	syscall(SYS_lseek, file, 0, SEEK_SET);
	syscall(SYS_read, file, text, sizeof(text));
	syscall(SYS_close, file);
	syscall(SYS_renameat2, AT_FDCWD, "new\nfile", AT_FDCWD, "other", RENAME_NOREPLACE);
	syscall(SYS_openat, AT_FDCWD, longest, O_WRONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	void *memory = (void *)syscall(SYS_mmap, NULL, 8192, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	syscall(SYS_mprotect, memory, 4096, PROT_NONE);
	syscall(SYS_madvise, memory, 4096, MADV_DONTNEED);
	syscall(SYS_munmap, memory, 8192);
	int stream = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	syscall(SYS_setsockopt, stream, SOL_SOCKET, SO_REUSEADDR, &word, sizeof(word));
	syscall(SYS_connect, stream, &internet, sizeof(internet));
	syscall(SYS_connect, stream, &internet6, sizeof(internet6));
	syscall(SYS_connect, stream, &local, sizeof(local));
	syscall(SYS_pipe2, ends, O_NONBLOCK);
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	syscall(SYS_kill, getpid(), 0);
	syscall(SYS_unlinkat, AT_FDCWD, "other", 0);
	syscall(SYS_exit_group, 7);
	return 0;
}
