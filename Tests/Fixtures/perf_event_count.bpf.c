/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs at each overflow of a perf event: counts, by process, and keeps the last attach
 * cookie. With the software event page-faults and period 1: exactly one run per fault.
 *   hits   hash   u32 process id   u64
 */
#include "helpers.h"

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 10240);
	__type(key, u32);
	__type(value, u64);
} hits SEC(".maps");

u64 total = 0;
u64 last_cookie = 0;

SEC("perf_event")
int count(void *context)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	u64 one = 1, *count = bpf_map_lookup_elem(&hits, &tgid);

	__sync_fetch_and_add(&total, 1);
	last_cookie = bpf_get_attach_cookie(context);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&hits, &tgid, &one, UPDATE_ANY);
	return 0;
}

LICENSE("GPL");
