/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds up what the probes of workloads/usdt.c are given. Set target_tgid, then read the variables.
 * The map and its layout are those of libbpf's usdt.bpf.h; the loader fills it when it attaches.
 */
#include "helpers.h"

#define MOST_ARGUMENTS 12

enum place { CONSTANT, REGISTER, MEMORY, INDEXED };

struct argument {
	u64 number; /* the constant, or the distance */
	u8 place;
	u16 index : 12; /* the index register's offset in struct pt_regs */
	u16 shift : 4;
	u8 unused;
	s16 register_offset;
	bool is_signed;
	u8 bits_unused;
} __attribute__((packed));

struct probe {
	struct argument arguments[MOST_ARGUMENTS];
	u64 cookie;
	s16 count;
	u16 padding[3];
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, struct probe);
} __bpf_usdt_specs SEC(".maps");

u32 target_tgid = 0;
u64 ticks = 0;
u64 gated = 0;
u64 cookies = 0;
u64 failures = 0;
s64 sums[MOST_ARGUMENTS] = {};

INLINE long load(void *context, const struct argument *argument, s64 *result)
{
	u64 value = argument->number, index = 0;
	u32 unused = argument->bits_unused;

	if (argument->place > INDEXED)
		return -1;
	if (argument->place != CONSTANT) {
		if (bpf_probe_read_kernel(&value, sizeof(value), context + argument->register_offset))
			return -1;
		if (argument->place == INDEXED &&
		    bpf_probe_read_kernel(&index, sizeof(index), context + argument->index))
			return -1;
		if (argument->place != REGISTER &&
		    bpf_probe_read_user(&value, sizeof(value),
					(void *)(value + (index << argument->shift) + argument->number)))
			return -1;
	}
	value <<= unused & 63;
	*result = argument->is_signed ? (s64)value >> (unused & 63) : (s64)(value >> (unused & 63));
	return 0;
}

INLINE const struct probe *probe_at(void *context)
{
	u32 id = bpf_get_attach_cookie(context);

	if (bpf_get_current_pid_tgid() >> 32 != target_tgid)
		return NULL;
	return bpf_map_lookup_elem(&__bpf_usdt_specs, &id);
}

SEC("usdt")
int on_tick(void *context)
{
	const struct probe *probe = probe_at(context);
	s64 value = 0;

	if (!probe)
		return 0;
	ADD_ONE(&ticks);
	__sync_fetch_and_add(&cookies, probe->cookie);
	for (int i = 0; i < MOST_ARGUMENTS; i++) {
		if (i >= probe->count)
			break;
		if (load(context, &probe->arguments[i], &value) != 0)
			ADD_ONE(&failures);
		else
			__sync_fetch_and_add(&sums[i], value);
	}
	return 0;
}

SEC("usdt")
int on_gated(void *context)
{
	const struct probe *probe = probe_at(context);

	if (probe && probe->count == 0)
		ADD_ONE(&gated);
	return 0;
}

LICENSE("GPL");
