/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel symbols: with a type (found in the kernel's BTF, per-CPU variables), without one (found
 * in /proc/kallsyms), and weak ones that do not exist. A test run of `copy` fills `addresses`.
 */
#include "helpers.h"

struct rq {
	unsigned int nr_running;
	int cpu;
} CORE;

extern const struct rq runqueues KSYM;
extern const int bpf_prog_active KSYM;
extern const void _text KSYM;
extern const void swift_ebpf_missing KSYM WEAK;
extern const int swift_ebpf_missing_typed KSYM WEAK;

u64 addresses[4]; /* _text, both missing ones, runqueues of CPU 0 */
int cpu_of_queue = -1;
int active = -1;

SEC("raw_tp/sys_enter")
int copy(void *context)
{
	const struct rq *queue;

	addresses[0] = (u64)&_text;
	addresses[1] = (u64)&swift_ebpf_missing;
	addresses[2] = (u64)&swift_ebpf_missing_typed;
	queue = bpf_per_cpu_ptr(&runqueues, 0);
	addresses[3] = (u64)queue;
	if (queue)
		cpu_of_queue = queue->cpu;
	active = *(int *)bpf_this_cpu_ptr(&bpf_prog_active);
	return 0;
}

LICENSE("GPL");
