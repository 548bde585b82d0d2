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

/* A field record and a type record. */
#define ASK(type, field) \
	(core_field_exists(((struct type *)0)->field) + core_type_size(struct type))

u64 answers[2];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	answers[0] = ASK(task_struct, pid);
	answers[1] = ASK(mm_struct, map_count);
	return 0;
}

LICENSE("GPL");
