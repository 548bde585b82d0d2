/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration value that no kernel has and that is not weak. Must not load: the loader
 * names it. */
#include "helpers.h"

extern int CONFIG_SWIFT_EBPF_MISSING KCONFIG;

int copy_of_it;

SEC("raw_tp/sys_enter")
int copy(void *context)
{
	copy_of_it = CONFIG_SWIFT_EBPF_MISSING;
	return 0;
}

LICENSE("GPL");
