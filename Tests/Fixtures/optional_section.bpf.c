/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A section of data whose name begins with '?', as those of optional struct_ops do. Its type is
 * refused before Linux 6.9: the loader has to rename it there. The program does not need it; a test
 * run sets `ran`.
 */
#include "helpers.h"

struct options {
	u32 level;
};

struct options options SEC("?.struct_ops") = { .level = 1 };

u32 ran = 0;

SEC("raw_tp/sys_enter")
int run(void *context)
{
	ran = 1;
	return 0;
}

LICENSE("GPL");
