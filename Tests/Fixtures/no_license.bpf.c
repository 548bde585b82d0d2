/* SPDX-License-Identifier: Apache-2.0 */
/* No license section. Loads, but may call no helper that is for GPL programs only. */
#include "helpers.h"

u64 runs;

SEC("raw_tp/sys_enter")
int count(void *context)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}
