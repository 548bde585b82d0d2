/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a BPF program here needs from the outside: integer names, the map description macros,
 * the helpers we call and the CO-RE questions we ask. Numbers are the kernel's
 * (include/uapi/linux/bpf.h); nothing else is included, so an object depends on no header of the
 * machine that compiles it.
 */
#ifndef SWIFT_EBPF_HELPERS_H
#define SWIFT_EBPF_HELPERS_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef _Bool bool;

#define NULL ((void *)0)

#define SEC(name) __attribute__((section(name), used))
/* Filled in by the loader: from the kernel's configuration, and with its symbols and functions. */
#define KCONFIG __attribute__((section(".kconfig")))
#define KSYM __attribute__((section(".ksyms")))
#define LICENSE(text) char LICENSE_TEXT[] SEC("license") = text
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define WEAK __attribute__((weak))
#define HIDDEN __attribute__((visibility("hidden")))
#define DECL_TAG(text) __attribute__((btf_decl_tag(text)))

#define READ_ONCE(x) (*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))
/* Atomic, and without the old value: `lock +=`, which every kernel with BPF has. Fetching takes
 * Linux 5.12, and clang chooses it for every order but this one. */
#define ADD_ONE(pointer) ((void)__atomic_fetch_add((pointer), 1, __ATOMIC_RELAXED))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* ---- Map descriptions: a variable in ".maps" whose type carries the values. ---- */
#define __uint(name, value) int (*name)[value]
#define __type(name, value) typeof(value) *name
#define __array(name, value) typeof(value) *name[]
#define MAP_CONCAT_(a, b) a##b
#define MAP_CONCAT(a, b) MAP_CONCAT_(a, b)
#define __ulong(name, value) enum { MAP_CONCAT(__unique_value, __COUNTER__) = value } name

/* How a map may be pinned by the loader. */
#define PIN_NONE 0
#define PIN_BY_NAME 1

enum bpf_map_type_number {
	MAP_HASH = 1,
	MAP_ARRAY = 2,
	MAP_PROG_ARRAY = 3,
	MAP_PERF_EVENT_ARRAY = 4,
	MAP_PERCPU_HASH = 5,
	MAP_PERCPU_ARRAY = 6,
	MAP_STACK_TRACE = 7,
	MAP_CGROUP_ARRAY = 8,
	MAP_LRU_HASH = 9,
	MAP_LRU_PERCPU_HASH = 10,
	MAP_LPM_TRIE = 11,
	MAP_ARRAY_OF_MAPS = 12,
	MAP_HASH_OF_MAPS = 13,
	MAP_DEVMAP = 14,
	MAP_SOCKMAP = 15,
	MAP_CPUMAP = 16,
	MAP_XSKMAP = 17,
	MAP_SOCKHASH = 18,
	MAP_QUEUE = 22,
	MAP_STACK = 23,
	MAP_SK_STORAGE = 24,
	MAP_DEVMAP_HASH = 25,
	MAP_RINGBUF = 27,
	MAP_INODE_STORAGE = 28,
	MAP_TASK_STORAGE = 29,
	MAP_BLOOM_FILTER = 30,
	MAP_USER_RINGBUF = 31,
	MAP_CGRP_STORAGE = 32,
	MAP_ARENA = 33,
};

enum bpf_map_flag_bits {
	MAP_F_NO_PREALLOC = 1 << 0,
	MAP_F_NUMA_NODE = 1 << 2,
	MAP_F_RDONLY_PROG = 1 << 7,
	MAP_F_MMAPABLE = 1 << 10,
};

/* How an element may be written. */
enum bpf_update_flag {
	UPDATE_ANY = 0,
	UPDATE_NOEXIST = 1,
	UPDATE_EXIST = 2,
};

/* ---- Kernel helpers, by number. ---- */
#define HELPER(type, name, number, ...) \
	static type (*const name)(__VA_ARGS__) __attribute__((unused)) = (void *)(number)

HELPER(void *, bpf_map_lookup_elem, 1, void *map, const void *key);
HELPER(long, bpf_map_update_elem, 2, void *map, const void *key, const void *value, u64 flags);
HELPER(long, bpf_map_delete_elem, 3, void *map, const void *key);
HELPER(u64, bpf_ktime_get_ns, 5, void);
HELPER(long, bpf_trace_printk, 6, const char *format, u32 size, ...);
HELPER(u32, bpf_get_prandom_u32, 7, void);
HELPER(u32, bpf_get_smp_processor_id, 8, void);
HELPER(long, bpf_tail_call, 12, void *context, void *prog_array, u32 index);
HELPER(u64, bpf_get_current_pid_tgid, 14, void);
HELPER(u64, bpf_get_current_uid_gid, 15, void);
HELPER(long, bpf_get_current_comm, 16, void *buffer, u32 size);
HELPER(long, bpf_perf_event_output, 25, void *context, void *map, u64 flags, void *data, u64 size);
HELPER(long, bpf_get_stackid, 27, void *context, void *map, u64 flags);
HELPER(u64, bpf_get_current_task, 35, void);
HELPER(long, bpf_get_stack, 67, void *context, void *buffer, u32 size, u64 flags);
HELPER(u64, bpf_get_current_cgroup_id, 80, void);
HELPER(long, bpf_map_push_elem, 87, void *map, const void *value, u64 flags);
HELPER(long, bpf_map_pop_elem, 88, void *map, void *value);
HELPER(long, bpf_map_peek_elem, 89, void *map, void *value);
HELPER(long, bpf_probe_read_user, 112, void *to, u32 size, const void *from);
HELPER(long, bpf_probe_read_kernel, 113, void *to, u32 size, const void *from);
HELPER(u64, bpf_get_current_ancestor_cgroup_id, 123, int level);
HELPER(long, bpf_ringbuf_output, 130, void *ring, void *data, u64 size, u64 flags);
HELPER(void *, bpf_ringbuf_reserve, 131, void *ring, u64 size, u64 flags);
HELPER(void, bpf_ringbuf_submit, 132, void *record, u64 flags);
HELPER(void, bpf_ringbuf_discard, 133, void *record, u64 flags);
HELPER(u64, bpf_ringbuf_query, 134, void *ring, u64 what);
HELPER(void *, bpf_per_cpu_ptr, 153, const void *variable, u32 cpu);
HELPER(void *, bpf_this_cpu_ptr, 154, const void *variable);
HELPER(void *, bpf_get_current_task_btf, 158, void);
HELPER(long, bpf_for_each_map_elem, 164, void *map, void *callback, void *context, u64 flags);
HELPER(u64, bpf_get_func_ip, 173, void *context);
HELPER(u64, bpf_get_attach_cookie, 174, void *context);
HELPER(void *, bpf_task_pt_regs, 175, const void *task);
HELPER(long, bpf_loop, 181, u32 count, void *callback, void *context, u64 flags);

#define F_CURRENT_CPU 0xffffffffULL
#define F_USER_STACK (1ULL << 8)
/* A stack whose place is taken replaces the one that is there. */
#define F_REUSE_STACK_ID (1ULL << 10)
#define RING_NO_WAKEUP 1ULL
#define RING_FORCE_WAKEUP 2ULL
#define RING_AVAILABLE 0ULL
#define RING_SIZE 1ULL

/* ---- CO-RE: questions answered by the loader from the running kernel's BTF. ---- */
#define CORE __attribute__((preserve_access_index))

#define core_field_offset(field) __builtin_preserve_field_info(field, 0)
#define core_field_size(field) __builtin_preserve_field_info(field, 1)
#define core_field_exists(field) __builtin_preserve_field_info(field, 2)
#define core_field_signed(field) __builtin_preserve_field_info(field, 3)
#define core_field_lshift(field) __builtin_preserve_field_info(field, 4)
#define core_field_rshift(field) __builtin_preserve_field_info(field, 5)

#define core_type_id_local(type) __builtin_btf_type_id(*(typeof(type) *)0, 0)
#define core_type_id_target(type) __builtin_btf_type_id(*(typeof(type) *)0, 1)
#define core_type_exists(type) __builtin_preserve_type_info(*(typeof(type) *)0, 0)
#define core_type_size(type) __builtin_preserve_type_info(*(typeof(type) *)0, 1)
#define core_type_matches(type) __builtin_preserve_type_info(*(typeof(type) *)0, 2)

#define core_enum_exists(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 0)
#define core_enum_value(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 1)

/* Copies one field of a kernel struct; 0 or -errno. The offset is relocated when `pointer` is to a
 * CORE struct. */
#define core_read(to, pointer, field) \
	bpf_probe_read_kernel((to), sizeof(*(to)), \
			      (const void *)__builtin_preserve_access_index(&(pointer)->field))

/* A field that is a bit field in some kernels: its value in the low bits. */
#define core_read_bits(pointer, field) ({ \
	u64 bits_ = 0; \
	bpf_probe_read_kernel(&bits_, core_field_size((pointer)->field), \
			      (const char *)(pointer) + core_field_offset((pointer)->field)); \
	bits_ <<= core_field_lshift((pointer)->field); \
	bits_ >>= core_field_rshift((pointer)->field); \
	bits_; \
})

#endif
