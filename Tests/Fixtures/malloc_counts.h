/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the malloc counters share. Set target_tgid (0: nobody), then read:
 *   totals   array   u32 enum malloc_total            u64
 *   live     hash    u64 address of a block in use    u64 its size
 */
#ifndef MALLOC_COUNTS_H
#define MALLOC_COUNTS_H

#include "registers.h"

enum malloc_total {
	MALLOCS,         /* returned a block */
	MALLOC_BYTES,    /* what was asked for */
	FREES,           /* of a block we saw, so not free(NULL) */
	FREE_BYTES,
	MALLOC_ENTRIES,  /* calls, counted at the entry alone */
	FREE_ENTRIES,
	MALLOC_FAILURES, /* returned NULL */
	COOKIES,         /* sum of the attach cookies seen at malloc's entry */
	MALLOC_TOTALS,
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, MALLOC_TOTALS);
	__type(key, u32);
	__type(value, u64);
} totals SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, u64);
} live SEC(".maps");

/* The size a thread is asking malloc for. */
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
} asked SEC(".maps");

u32 target_tgid = 0;

INLINE void add_to(u32 which, u64 amount)
{
	u64 *total = bpf_map_lookup_elem(&totals, &which);

	if (total)
		__sync_fetch_and_add(total, amount);
}

INLINE bool is_target(void)
{
	u32 target = READ_ONCE(target_tgid);

	return target != 0 && bpf_get_current_pid_tgid() >> 32 == target;
}

INLINE void on_malloc(void *context)
{
	u32 tid = bpf_get_current_pid_tgid();
	u64 size;

	if (!is_target())
		return;
	size = first_argument(context);
	add_to(MALLOC_ENTRIES, 1);
	add_to(COOKIES, bpf_get_attach_cookie(context));
	bpf_map_update_elem(&asked, &tid, &size, UPDATE_ANY);
}

INLINE void on_malloc_return(void *context)
{
	u32 tid = bpf_get_current_pid_tgid();
	u64 *size, address, bytes;

	if (!is_target())
		return;
	size = bpf_map_lookup_elem(&asked, &tid);
	if (!size)
		return;
	bytes = *size;
	bpf_map_delete_elem(&asked, &tid);
	address = returned_value(context);
	if (address == 0) {
		add_to(MALLOC_FAILURES, 1);
		return;
	}
	add_to(MALLOCS, 1);
	add_to(MALLOC_BYTES, bytes);
	bpf_map_update_elem(&live, &address, &bytes, UPDATE_ANY);
}

INLINE void on_free(void *context)
{
	u64 address, *size;

	if (!is_target())
		return;
	add_to(FREE_ENTRIES, 1);
	address = first_argument(context);
	size = bpf_map_lookup_elem(&live, &address);
	if (!size)
		return;
	add_to(FREES, 1);
	add_to(FREE_BYTES, *size);
	bpf_map_delete_elem(&live, &address);
}

#endif
