/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel symbols without a type, found in /proc/kallsyms, and weak ones that do not exist, which
 * are 0. A test run of `copy` fills `addresses`: _text and both missing ones.
 */
#include "helpers.h"

extern const void _text KSYM;
extern const void swift_ebpf_missing KSYM WEAK;
extern const int swift_ebpf_missing_typed KSYM WEAK;

u64 addresses[3];

SEC("raw_tp/sys_enter")
int copy(void *context)
{
	addresses[0] = (u64)&_text;
	addresses[1] = (u64)&swift_ebpf_missing;
	addresses[2] = (u64)&swift_ebpf_missing_typed;
	return 0;
}

LICENSE("GPL");
