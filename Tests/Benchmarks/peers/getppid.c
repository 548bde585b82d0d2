/* SPDX-License-Identifier: Apache-2.0 */
/* What the cheapest system call costs: CPU time of the thread for each getppid(), in the fastest of
 * many short batches, which nothing else interrupted. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	enum { BATCHES = 200, CALLS = 5000 };
	struct timespec begin, end;
	double fastest = 1e9;

	for (int batch = 0; batch < BATCHES; batch++) {
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
