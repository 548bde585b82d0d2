/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel symbol that does not exist and is not weak. Must not load: the loader names it. */
#include "helpers.h"

extern const void swift_ebpf_missing KSYM;

u64 address;

SEC("raw_tp/sys_enter")
int copy(void *context)
{
	address = (u64)&swift_ebpf_missing;
	return 0;
}

LICENSE("GPL");
