/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel variables with a type, found in the kernel's BTF (which lists the per-CPU ones). The
 * kernel looks up their addresses in its own symbol table: without CONFIG_KALLSYMS_ALL it refuses
 * the program (ENOENT, "failed to find the address for kernel symbol"). A test run of `copy` sets
 * cpu_of_queue to 0.
 */
#include "helpers.h"

struct rq {
	int cpu;
} CORE;

extern const struct rq runqueues KSYM;
extern const int bpf_prog_active KSYM;

int cpu_of_queue = -1;
int active = -1;

SEC("raw_tp/sys_enter")
int copy(void *context)
{
	const struct rq *queue = bpf_per_cpu_ptr(&runqueues, 0);

	if (queue)
		cpu_of_queue = queue->cpu;
	active = *(int *)bpf_this_cpu_ptr(&bpf_prog_active);
	return 0;
}

LICENSE("GPL");
