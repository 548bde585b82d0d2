/* SPDX-License-Identifier: Apache-2.0 */
/* As count_uprobe, with the library and symbol in the section names: attaches by itself. */
#include "helpers.h"
#include "malloc_counts.h"

SEC("uprobe/libc.so.6:malloc")
int malloc_entry(void *context)
{
	on_malloc(context);
	return 0;
}

SEC("uretprobe/libc.so.6:malloc")
int malloc_return(void *context)
{
	on_malloc_return(context);
	return 0;
}

SEC("uprobe/libc.so.6:free")
int free_entry(void *context)
{
	on_free(context);
	return 0;
}

LICENSE("GPL");
