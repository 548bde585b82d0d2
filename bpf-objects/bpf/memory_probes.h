/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that pick allocations themselves and tell of them by static probes (USDT):
 *
 *   otel_memory:alloc(block, size, weighted bytes)   how many allocated bytes this one stands for
 *   otel_memory:free(block)                          of a block that was picked
 *
 * They take the place of the allocator's functions; what they tell is not picked from again. Where a
 * probe's arguments are, user space writes into `__bpf_usdt_specs` when it attaches: the map and its
 * layout are those of libbpf's usdt.bpf.h. Needs bpf_get_attach_cookie (Linux 5.15).
 */
#ifndef SWIFT_EBPF_MEMORY_PROBES_H
#define SWIFT_EBPF_MEMORY_PROBES_H

#include "memory_allocator.h"

#define MOST_ARGUMENTS 12

enum argument_place { ARGUMENT_CONSTANT, ARGUMENT_REGISTER, ARGUMENT_MEMORY, ARGUMENT_INDEXED };

struct probe_argument {
	u64 number; /* the constant, or the distance */
	u8 place;   /* enum argument_place */
	u16 index : 12; /* the index register's offset in struct pt_regs */
	u16 shift : 4;
	u8 unused;
	s16 register_offset;
	bool is_signed;
	u8 bits_unused;
} __attribute__((packed));

struct probe_arguments {
	struct probe_argument arguments[MOST_ARGUMENTS];
	u64 cookie;
	s16 count;
	u16 padding[3];
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, struct probe_arguments);
} __bpf_usdt_specs SEC(".maps");

/* Reads one argument of the probe that was hit; false where that cannot be done. */
static NOINLINE bool read_argument(void *context, u32 number, u64 *result)
{
	const struct probe_arguments *probe;
	const struct probe_argument *argument;
	u32 id = bpf_get_attach_cookie(context), unused;
	u64 value, index = 0;

	probe = bpf_map_lookup_elem(&__bpf_usdt_specs, &id);
	if (!probe || number >= MOST_ARGUMENTS || (s64)number >= probe->count)
		return 0;
	argument = &probe->arguments[number];
	unused = argument->bits_unused & 63;
	value = argument->number;
	if (argument->place > ARGUMENT_INDEXED)
		return 0;
	if (argument->place != ARGUMENT_CONSTANT) {
		if (bpf_probe_read_kernel(&value, sizeof(value),
					  context + argument->register_offset) != 0)
			return 0;
		if (argument->place == ARGUMENT_INDEXED &&
		    bpf_probe_read_kernel(&index, sizeof(index), context + argument->index) != 0)
			return 0;
		if (argument->place != ARGUMENT_REGISTER &&
		    bpf_probe_read_user(&value, sizeof(value),
					(const void *)(value + (index << argument->shift) +
						       argument->number)) != 0)
			return 0;
	}
	value <<= unused;
	*result = argument->is_signed ? (u64)((s64)value >> unused) : value >> unused;
	return 1;
}

SEC("uprobe")
int memory_probe_alloc(void *context)
{
	u64 pid_tgid = bpf_get_current_pid_tgid();
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_address address = {};
	struct memory_block block = {};
	struct memory_site site = {};
	struct memory_thread *thread;
	u64 objects;

	if (!control || !count || READ_ONCE(control->paused) == MEMORY_IDLE)
		return 0;
	if (!process_wanted(pid_tgid >> 32)) {
		ADD_ONE(&count->filtered);
		return 0;
	}
	if (READ_ONCE(control->paused)) {
		ADD_ONE(&count->paused);
		return 0;
	}
	thread = thread_entry(pid_tgid, count);
	if (!thread) {
		ADD_ONE(&count->threads_lost);
		return 0;
	}
	if (!read_argument(context, 0, &address.address) ||
	    !read_argument(context, 1, &block.size) || !read_argument(context, 2, &block.weighted)) {
		ADD_ONE(&count->unreadable);
		return 0;
	}
	if (address.address == 0) {
		ADD_ONE(&count->failures);
		return 0;
	}
	block.time = bpf_ktime_get_ns();
	block.tid = pid_tgid;
	objects = block_count(control, &block);
	note_first_event(count, block.time);
	if (!process_entry(&thread->process, count))
		ADD_ONE(&count->processes_lost);
	site.process = address.process = thread->process;
	site.kind = SITE_ALLOCATION;
	take_site_stack(context, &site, thread, control, count);
	block.stack = site.stack;
	count_at(&site, objects, block_bytes(control, &block), count);
	ADD(&count->allocations, objects);
	ADD(&count->allocated_bytes, block_bytes(control, &block));
	if (objects > 1)
		ADD(&count->allocations_added, objects - 1);
	put_block(&address, &block, control, count);
	return 0;
}

SEC("uprobe")
int memory_probe_free(void *context)
{
	u64 pid_tgid = bpf_get_current_pid_tgid();
	struct memory_control *control = settings();
	struct memory_counters *count = counts();
	struct memory_address address = {};
	struct memory_thread *thread;
	bool wanted;

	if (!control || !count || READ_ONCE(control->paused) == MEMORY_IDLE)
		return 0;
	wanted = process_wanted(pid_tgid >> 32);
	if (!wanted) {
		ADD_ONE(&count->filtered);
		if (!(READ_ONCE(control->flags) & MEMORY_KEEP_TRACK))
			return 0;
	}
	thread = thread_entry(pid_tgid, count);
	if (!thread) {
		if (wanted)
			ADD_ONE(&count->threads_lost);
		return 0;
	}
	if (!read_argument(context, 0, &address.address)) {
		if (wanted)
			ADD_ONE(&count->unreadable);
		return 0;
	}
	if (address.address == 0) {
		if (wanted)
			ADD_ONE(&count->null_frees);
		return 0;
	}
	address.process = thread->process;
	return free_block(&address, wanted, control, count);
}

#endif
