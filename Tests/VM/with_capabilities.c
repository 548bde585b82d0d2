/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: with-capabilities NUMBER,... PROGRAM [ARGUMENT...]
 *
 * Runs a program as root that has these capabilities and no others (linux/capability.h).
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int count, char **arguments)
{
	unsigned long long kept = 0;

	if (count < 3)
		return 64;
	for (char *word = strtok(arguments[1], ","); word; word = strtok(NULL, ","))
		kept |= 1ULL << strtoul(word, NULL, 10);
	/* What is not in the bounding set is gone when root executes a program. */
	for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (!(kept >> capability & 1) && prctl(PR_CAPBSET_DROP, capability) != 0 &&
		    errno != EINVAL) {
			perror("PR_CAPBSET_DROP");
			return 1;
		}
	execv(arguments[2], arguments + 2);
	perror(arguments[2]);
	return 127;
}
