/* SPDX-License-Identifier: Apache-2.0 */
/* Counts one process's malloc and free by uprobes. Where to attach is not in the section names. */
#include "helpers.h"
#include "malloc_counts.h"

SEC("uprobe")
int malloc_entry(void *context)
{
	on_malloc(context);
	return 0;
}

SEC("uretprobe")
int malloc_return(void *context)
{
	on_malloc_return(context);
	return 0;
}

SEC("uprobe")
int free_entry(void *context)
{
	on_free(context);
	return 0;
}

LICENSE("GPL");
