/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.bpf.c with user stacks walked by unwind rows (stack_walk.h) where the process has them. x86-64,
 * from Linux 5.17.
 */
#define MEMORY_WALKS 1
#include "memory.bpf.c"
