/* SPDX-License-Identifier: Apache-2.0 */
/* A program function that is `static`. libbpf does not see it as a program ("static functions in
 * that section are subprograms"); whole public projects write theirs so. */
#include "helpers.h"

u64 runs;

SEC("raw_tp/sys_enter")
static int count(void *context)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

LICENSE("GPL");
