/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops itself; continued, calls malloc(1), malloc(2) … malloc(1000) and frees the first 900:
 *   1000 allocations of 500,500 bytes, 900 frees of 405,450 bytes;
 *   100 blocks of 901…1000 bytes stay, 95,050 bytes.
 */
#include <stdlib.h>

#include "stopped.h"

/* volatile: the compiler may not leave out a pair of malloc and free. */
void *volatile blocks[1001];

int main(void)
{
	/* The allocator's own first-use work is not part of what is counted. */
	free(malloc(1));
	stop_until_continued();
	for (size_t size = 1; size <= 1000; size++)
		blocks[size] = malloc(size);
	for (size_t size = 1; size <= 900; size++)
		free(blocks[size]);
	_exit(0);
}
