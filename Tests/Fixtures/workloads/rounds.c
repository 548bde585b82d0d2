/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rounds ROUNDS CALLS: stops itself; continued, makes so many getppid() calls and stops itself again,
 * so many rounds long; after the last it exits. A stop takes getpid, gettid and tgkill.
 */
#include <stdlib.h>

#include "stopped.h"

int main(int count, char **arguments)
{
	if (count != 3)
		return 2;
	int rounds = atoi(arguments[1]), calls = atoi(arguments[2]);

	for (int round = 0; round < rounds; round++) {
		stop_until_continued();
		for (int call = 0; call < calls; call++)
			syscall(SYS_getppid);
	}
	_exit(0);
}
