/* SPDX-License-Identifier: Apache-2.0 */
/*
 * many_calls PROCESSES CALLS TIMES: stops itself; continued, starts so many processes one after the
 * other, each of which makes so many different system calls so often. Their numbers begin at 340,
 * where no architecture has a call, so that all of them fail with ENOSYS.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/wait.h>

#include "stopped.h"

int main(int count, char **arguments)
{
	if (count != 4)
		return 2;
	int processes = atoi(arguments[1]), calls = atoi(arguments[2]), times = atoi(arguments[3]);

	stop_until_continued();
	for (int process = 0; process < processes; process++) {
		pid_t child = fork();

		if (child < 0)
			return 1;
		if (child == 0) {
			for (int call = 0; call < calls; call++)
				for (int time = 0; time < times; time++)
					syscall(340 + call);
			_exit(0);
		}
		if (waitpid(child, NULL, 0) != child)
			return 1;
	}
	return 0;
}
