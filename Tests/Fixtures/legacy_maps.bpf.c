/* SPDX-License-Identifier: Apache-2.0 */
/* Maps as they were described before BTF: records in a section "maps". libbpf 1.0 and newer refuse
 * such an object (EOPNOTSUPP); we, like cilium/ebpf, take it. */
#include "helpers.h"

struct map_definition {
	u32 type;
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	u32 map_flags;
};

struct map_definition SEC("maps") legacy_hash = {
	.type = MAP_HASH,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 100,
	.map_flags = MAP_F_NO_PREALLOC,
};

struct map_definition SEC("maps") legacy_array = {
	.type = MAP_ARRAY,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 2,
};

SEC("raw_tp/sys_enter")
int count(void *context)
{
	u32 zero = 0;
	u64 *value = bpf_map_lookup_elem(&legacy_array, &zero), one = 1;

	if (value)
		__sync_fetch_and_add(value, 1);
	bpf_map_update_elem(&legacy_hash, &zero, &one, UPDATE_ANY);
	return 0;
}

LICENSE("GPL");
