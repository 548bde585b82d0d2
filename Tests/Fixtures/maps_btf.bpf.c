/* SPDX-License-Identifier: Apache-2.0 */
/* BTF-defined maps of the kinds a tracer uses, each with what distinguishes it. All load. */
#include "helpers.h"

struct key {
	u32 a;
	u16 b;
	u16 c;
};

struct value {
	u64 count;
	char name[8];
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 1000);
	__type(key, struct key);
	__type(value, struct value);
} hash SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 10240);
	__uint(map_flags, MAP_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, u64);
} hash_sparse SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 16);
	__uint(map_flags, MAP_F_MMAPABLE);
	__type(key, u32);
	__type(value, u64);
} array SEC(".maps");

/* Sizes instead of types: no BTF for key and value. */
struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 12);
} array_of_sizes SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 3);
	__type(key, u32);
	__type(value, struct value);
} percpu_array SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_HASH);
	__uint(max_entries, 100);
	__type(key, u32);
	__type(value, u32); /* its stride is still 8 */
} percpu_hash SEC(".maps");

struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 100);
	__type(key, u32);
	__type(value, u64);
} lru_hash SEC(".maps");

struct {
	__uint(type, MAP_LRU_PERCPU_HASH);
	__uint(max_entries, 100);
	__type(key, u32);
	__type(value, u64);
} lru_percpu_hash SEC(".maps");

struct prefix {
	u32 bits;
	u8 address[4];
};

struct {
	__uint(type, MAP_LPM_TRIE);
	__uint(max_entries, 100);
	__uint(map_flags, MAP_F_NO_PREALLOC); /* the kernel insists */
	__type(key, struct prefix);
	__type(value, u32);
} lpm_trie SEC(".maps");

struct {
	__uint(type, MAP_QUEUE);
	__uint(max_entries, 10);
	__type(value, u32);
} queue SEC(".maps");

struct {
	__uint(type, MAP_STACK);
	__uint(max_entries, 10);
	__type(value, u32);
} stack SEC(".maps");

struct {
	__uint(type, MAP_STACK_TRACE);
	__uint(max_entries, 1024);
	__uint(key_size, 4);
	__uint(value_size, 127 * 8);
} stack_trace SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 64 * 1024);
} ringbuf SEC(".maps");

/* max_entries 0: one per possible CPU, which the loader fills in. */
struct {
	__uint(type, MAP_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf_event_array SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 8);
	__uint(map_flags, MAP_F_NUMA_NODE);
	__uint(numa_node, 0);
	__type(key, u32);
	__type(value, u32);
} on_node SEC(".maps");

struct {
	__uint(type, MAP_BLOOM_FILTER);
	__uint(max_entries, 100);
	__uint(map_extra, 3); /* hash functions */
	__type(value, u64);
} bloom_filter SEC(".maps");

/* A type with a name, used twice. */
struct counter_map {
	__uint(type, MAP_HASH);
	__uint(max_entries, 32);
	__type(key, u32);
	__type(value, u64);
};

struct counter_map named_a SEC(".maps");
struct counter_map named_b SEC(".maps");

SEC("raw_tp/sys_enter")
int use_maps(void *context)
{
	struct key key = { .a = 1, .b = 2, .c = 3 };
	struct value value = { .count = 4, .name = "four" };
	u32 number = 5;

	bpf_map_update_elem(&hash, &key, &value, UPDATE_ANY);
	bpf_map_update_elem(&lru_hash, &number, &value.count, UPDATE_ANY);
	bpf_map_push_elem(&queue, &number, 0);
	bpf_map_push_elem(&stack, &number, 0);
	return 0;
}

LICENSE("GPL");
