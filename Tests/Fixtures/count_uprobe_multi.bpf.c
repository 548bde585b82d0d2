/* SPDX-License-Identifier: Apache-2.0 */
/* As count_uprobe, by one link for many places (Linux 6.6, libbpf 1.3). */
#include "helpers.h"
#include "malloc_counts.h"

SEC("uprobe.multi")
int malloc_entry(void *context)
{
	on_malloc(context);
	return 0;
}

SEC("uretprobe.multi")
int malloc_return(void *context)
{
	on_malloc_return(context);
	return 0;
}

SEC("uprobe.multi")
int free_entry(void *context)
{
	on_free(context);
	return 0;
}

LICENSE("GPL");
