/* SPDX-License-Identifier: Apache-2.0 */
/* Refused only after the verifier has written a log of several hundred kilobytes: a loader's log
 * buffer has to grow. Must not load. */
#include "helpers.h"

u64 numbers[64];
u64 index;

SEC("raw_tp/sys_enter")
int explore(void *context)
{
	u64 sum = 0;

#pragma clang loop unroll(disable)
	for (u32 i = 0; i < 2000; i++) {
		if (READ_ONCE(numbers[i % 64]) > sum)
			sum += i;
	}
	numbers[0] = sum;
	return *((u64 *)context + READ_ONCE(index));
}

LICENSE("GPL");
