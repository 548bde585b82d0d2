/* SPDX-License-Identifier: Apache-2.0 */
/* What the cheapest system call costs: CPU time of the thread for each getppid(), in the fastest of
 * many short batches, which nothing else interrupted. An argument gives their number. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments)
{
	enum { CALLS = 5000 };
	const int batches = count > 1 ? atoi(arguments[1]) : 200;
	struct timespec begin, end;
	double fastest = 1e9;

	for (int batch = 0; batch < batches; batch++) {
		double each;

		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
		for (int i = 0; i < CALLS; i++)
			syscall(SYS_getppid);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
		each = ((double)(end.tv_sec - begin.tv_sec) * 1e9 +
			(double)(end.tv_nsec - begin.tv_nsec)) / CALLS;
		if (each < fastest)
			fastest = each;
	}
	printf("call_ns %.1f\n", fastest);
	return 0;
}
