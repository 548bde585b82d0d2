/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records on 2 kernel types: what a CO-RE load costs at least. See core_20_types.
 */
#include "helpers.h"

struct task_struct {
	int pid;
} CORE;

struct mm_struct {
	int map_count;
} CORE;

u64 answers[2];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	answers[0] = core_field_exists(((struct task_struct *)0)->pid) + core_type_size(struct task_struct);
	answers[1] = core_field_exists(((struct mm_struct *)0)->map_count) + core_type_size(struct mm_struct);
	return 0;
}

LICENSE("GPL");
