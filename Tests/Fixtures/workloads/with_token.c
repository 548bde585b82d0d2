/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: with-token DIRECTORY OPTIONS PROGRAM [ARGUMENT...]
 *
 * Runs a program as root of a new user namespace, with a BPF file system on DIRECTORY that belongs to
 * that namespace. OPTIONS are mount options, `delegate_cmds=any,delegate_maps=array` for example, or
 * nothing: `-`. Needs root; the file system is opened inside of the namespace, and given its options and
 * mounted outside, where the rights to delegate are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int check(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "with-token: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* A byte, and with it a descriptor, if there is one. */
static void tell(int socket, int descriptor)
{
	char byte = 1;
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (descriptor >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
	}
	check(sendmsg(socket, &message, 0), "sendmsg");
}

/* Waits for it; -1 when no descriptor came along. */
static int hear(int socket)
{
	char byte;
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	int descriptor = -1;

	if (check(recvmsg(socket, &message, 0), "recvmsg") == 0)
		exit(125); /* The other one has said why. */
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header)
		memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
	return descriptor;
}

static void map_root(pid_t child, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", child, file);
	int descriptor = check(open(path, O_WRONLY), path);
	check(write(descriptor, "0 0 1\n", 6), path);
	close(descriptor);
}

static void inside(int socket, char **arguments)
{
	check(unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
	tell(socket, -1);
	hear(socket);
	tell(socket, check(fsopen("bpf", FSOPEN_CLOEXEC), "fsopen"));
	int mount = hear(socket);
	check(move_mount(mount, "", AT_FDCWD, arguments[1], MOVE_MOUNT_F_EMPTY_PATH), "move_mount");
	close(mount);
	close(socket);
	execv(arguments[3], arguments + 3);
	perror(arguments[3]);
	exit(127);
}

int main(int count, char **arguments)
{
	int sockets[2];
	int status;

	if (count < 4)
		return 64;
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), "socketpair");
	pid_t child = check(fork(), "fork");
	if (child == 0) {
		close(sockets[0]);
		inside(sockets[1], arguments);
	}
	close(sockets[1]);
	hear(sockets[0]);
	map_root(child, "uid_map");
	map_root(child, "gid_map");
	tell(sockets[0], -1);
	int system = hear(sockets[0]);
	for (char *word = strtok(arguments[2], ","); word; word = strtok(NULL, ",")) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = 0;
		check(fsconfig(system, FSCONFIG_SET_STRING, word, value, 0), word);
	}
	check(fsconfig(system, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "FSCONFIG_CMD_CREATE");
	tell(sockets[0], check(fsmount(system, FSMOUNT_CLOEXEC, 0), "fsmount"));
	close(system);
	close(sockets[0]);
	check(waitpid(child, &status, 0), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
