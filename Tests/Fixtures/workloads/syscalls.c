/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops itself; continued, makes exactly 111,001 system calls, of which 111,000 return and 5,000
 * fail with ENOENT:
 *   100,000 getppid; 8,000 openat (5,000 of a missing file, 3,000 of /dev/null); 3,000 close;
 *   1 exit_group.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>

#include "stopped.h"

static long open_file(const char *path)
{
	return syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
}

int main(void)
{
	stop_until_continued();
	for (int i = 0; i < 100000; i++)
		syscall(SYS_getppid);
	for (int i = 0; i < 5000; i++)
		if (open_file("/nonexistent/swift-ebpf") >= 0)
			_exit(1);
	for (int i = 0; i < 3000; i++) {
		long file = open_file("/dev/null");

		if (file < 0)
			_exit(1);
		syscall(SYS_close, file);
	}
	_exit(0);
}
