/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops the calling process. Whoever watches attaches now and sends SIGCONT: from then on only
 * the work is seen, and not the dynamic loader's.
 *
 * The raw call, and not raise(3), which in some libraries makes more system calls afterwards. Its
 * own return is traced before the process stops, so it is in nobody's count.
 */
#ifndef STOPPED_H
#define STOPPED_H

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline void stop_until_continued(void)
{
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTOP);
}

#endif
