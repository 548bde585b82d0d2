/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the user stack of the current task by unwind rows, where code has no frame pointers.
 * x86-64; needs bpf_loop (Linux 5.17). Included once by an object, after `struct process_id`.
 *
 * User space (UnwindTables.swift) writes, at any time:
 *
 *   map                type              key                   value
 *   unwind_processes   hash              u32 process id        struct unwind_process
 *   unwind_mappings    array, mmapable   u32                   struct unwind_mapping
 *   unwind_rows        array, mmapable   u32                   u64, a packed row
 *
 * A process has a run of mappings sorted by address, a mapping a run of rows sorted by address. A
 * run is written before anything refers to it, and is used for something else only after nothing
 * has referred to it for a grace period. A mapping whose rows can be had, and are not there yet, has
 * the first row ROWS_UNASKED: who finds it asks user space (`wanted` of walk_user_stack).
 *
 * A row holds from its address to the next row's:
 *   bits 0-31 address relative to the mapping's base; 32-35 enum unwind_frame; 36-39 enum
 *   unwind_pointer; 40-47 signed words to the saved frame pointer; 48-63 signed words to the CFA.
 */
#ifndef SWIFT_EBPF_STACK_WALK_H
#define SWIFT_EBPF_STACK_WALK_H

#include "helpers.h"
#include "program_image.h"

#define WALK_DEPTH 127
/* 2^13 mappings and 2^22 rows at most. */
#define MAPPING_STEPS 13
#define ROW_STEPS 22
#define NO_MAPPING 0xffffffff
#define ROWS_UNASKED 0xffffffff

enum unwind_frame {
	FRAME_UNKNOWN,
	FRAME_STACK_POINTER,
	FRAME_FRAME_POINTER,
	FRAME_SAVED_AT_FRAME_POINTER,
	FRAME_LINKAGE_TABLE,
	FRAME_SIGNAL,
	FRAME_OUTERMOST,
	FRAME_UNSUPPORTED,
};

enum unwind_pointer {
	POINTER_UNCHANGED,
	POINTER_AT_FRAME,
	POINTER_AT_FRAME_POINTER,
	POINTER_LOST,
};

struct unwind_process {
	u64 start; /* of the process, in clock ticks, as user space can know it */
	u64 image; /* struct process_id: which program in the process this is about */
	u32 first; /* of its mappings */
	u32 count;
};

struct unwind_mapping {
	u64 start;     /* first address */
	u64 end;       /* first address behind it */
	u64 base;      /* what rows are relative to, at run time */
	u32 first;     /* of its rows, or ROWS_UNASKED */
	u32 count;     /* 0: none */
};

/* Why a walk ended. */
enum walk_end {
	WALK_GOING,
	WALK_COMPLETE,     /* the outermost frame */
	WALK_NO_PROCESS,   /* nothing is known about the process, yet */
	WALK_NO_MAPPING,   /* an address outside of every known mapping */
	WALK_NO_ROW,       /* an address that no row describes */
	WALK_UNSUPPORTED,  /* a rule that rows cannot hold */
	WALK_UNREADABLE,   /* the stack could not be read, or does not grow */
	WALK_TOO_DEEP,
	WALK_ENDS,
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 8192);
	__type(key, u32);
	__type(value, struct unwind_process);
} unwind_processes SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, 32768);
	__type(key, u32);
	__type(value, struct unwind_mapping);
} unwind_mappings SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, 1 << 20);
	__type(key, u32);
	__type(value, u64);
} unwind_rows SEC(".maps");

/* The registers that walking needs; the names are the kernel's for x86-64. */
struct pt_regs___walk {
	unsigned long r15, r14, r13, r12;
	unsigned long bp;
	unsigned long bx;
	unsigned long r11, r10, r9, r8;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long ip;
	unsigned long cs;
	unsigned long sp;
} CORE;

#define USER_CODE_SEGMENT_64 0x33

/* Where user registers are in what a signal handler returns through: struct ucontext of
 * arch/x86/include/uapi/asm/ucontext.h and sigcontext.h. */
#define SIGNAL_BP 120
#define SIGNAL_SP 160
#define SIGNAL_IP 168

struct walk {
	u64 ip;
	u64 sp;
	u64 bp;
	u64 wanted;     /* the first address whose rows can be had */
	u64 slot;       /* where a return address was that a return probe took the place of; 0: none */
	u64 slot_return; /* that return address */
	u32 first;      /* of the process's mappings */
	u32 count;
	u32 end;        /* enum walk_end */
	u32 guesses;    /* frames found by frame pointer where no row was known */
	bool is_return; /* ip is behind a call, not at the instruction */
	bool pointer_is_lost;
};

/* A binary search for an address, or an offset, among neighbours in an array. */
struct search {
	u64 wanted;
	u64 found;
	u32 low;
	u32 high;
};

static long compare_mapping(u32 step, struct search *search)
{
	const struct unwind_mapping *mapping;
	u32 middle;

	if (search->low >= search->high)
		return 1;
	middle = search->low + (search->high - search->low) / 2;
	mapping = bpf_map_lookup_elem(&unwind_mappings, &middle);
	if (!mapping)
		return 1;
	if (search->wanted < mapping->start) {
		search->high = middle;
		return 0;
	}
	if (search->wanted >= mapping->end) {
		search->low = middle + 1;
		return 0;
	}
	search->found = middle;
	return 1;
}

/* The index of the mapping that holds an address, among a process's; NO_MAPPING for none. Global, as
 * the next ones: the verifier looks at it once and not for each way that leads to it; and with
 * bpf_loop at one step and not at each. */
NOINLINE u32 walk_find_mapping(u32 first, u32 count, u64 address)
{
	struct search search = {
		.wanted = address, .found = NO_MAPPING, .low = first, .high = first + count
	};

	bpf_loop(MAPPING_STEPS + 1, compare_mapping, &search, 0);
	return search.found;
}

static long compare_row(u32 step, struct search *search)
{
	const u64 *row;
	u32 middle;

	if (search->low >= search->high)
		return 1;
	middle = search->low + (search->high - search->low) / 2;
	row = bpf_map_lookup_elem(&unwind_rows, &middle);
	if (!row)
		return 1;
	if ((u32)*row <= search->wanted) {
		search->found = *row;
		search->low = middle + 1;
	} else {
		search->high = middle;
	}
	return 0;
}

/* The row that holds at an offset from the base of a mapping; 0 for none. */
NOINLINE u64 walk_find_row(u32 first, u32 count, u32 offset)
{
	struct search search = { .wanted = offset, .low = first, .high = first + count };

	bpf_loop(ROW_STEPS + 1, compare_row, &search, 0);
	return search.found;
}

/* The row for an address; 0 where no row describes it, or false where no mapping holds it. */
INLINE bool walk_find(struct walk *walk, u64 address, u64 *row)
{
	const struct unwind_mapping *mapping;
	u64 offset;
	u32 index;

	index = walk_find_mapping(walk->first, walk->count, address);
	mapping = bpf_map_lookup_elem(&unwind_mappings, &index);
	if (!mapping)
		return 0;
	if (mapping->first == ROWS_UNASKED && !walk->wanted)
		walk->wanted = address;
	offset = address - mapping->base;
	*row = offset >> 32 ? 0 : walk_find_row(mapping->first, mapping->count, offset);
	return 1;
}

INLINE long walk_stop(struct walk *walk, u32 end)
{
	walk->end = end;
	return 1;
}

INLINE bool read_word(u64 *word, u64 address)
{
	return bpf_probe_read_user(word, sizeof(*word), (const void *)address) == 0;
}

/* One frame up by frame pointer: where nothing is known, the best there is. */
INLINE long walk_by_pointer(struct walk *walk, u32 reason)
{
	u64 frame[2];

	if (walk->pointer_is_lost || walk->bp < walk->sp || (walk->bp & 7))
		return walk_stop(walk, reason);
	if (bpf_probe_read_user(frame, sizeof(frame), (const void *)walk->bp) != 0)
		return walk_stop(walk, reason);
	walk->ip = walk->bp + 8 == walk->slot ? walk->slot_return : frame[1];
	walk->sp = walk->bp + 16;
	walk->bp = frame[0];
	walk->is_return = 1;
	walk->guesses++;
	return walk->ip == 0 ? walk_stop(walk, WALK_COMPLETE) : 0;
}

/* One frame up; `end` tells whether there was one. Global and without the array of addresses: what
 * bpf_loop calls is verified again until nothing new is seen, and here that is only walk_frame. */
NOINLINE int walk_step(struct walk *walk)
{
	u64 address, row, cfa, saved;
	s64 frame_offset, pointer_offset;

	if (!walk)
		return 0; /* cannot happen */
	address = walk->ip - (walk->is_return ? 1 : 0);
	if (!walk_find(walk, address, &row))
		return walk_by_pointer(walk, WALK_NO_MAPPING);
	frame_offset = ((s64)row >> 48) * 8;
	pointer_offset = ((s64)(row << 16) >> 56) * 8;
	switch ((row >> 32) & 15) {
	case FRAME_STACK_POINTER:
		cfa = walk->sp + frame_offset;
		break;
	case FRAME_FRAME_POINTER:
		if (walk->pointer_is_lost)
			return walk_stop(walk, WALK_UNSUPPORTED);
		cfa = walk->bp + frame_offset;
		break;
	case FRAME_SAVED_AT_FRAME_POINTER:
		if (walk->pointer_is_lost)
			return walk_stop(walk, WALK_UNSUPPORTED);
		if (!read_word(&cfa, walk->bp + frame_offset))
			return walk_stop(walk, WALK_UNREADABLE);
		break;
	case FRAME_LINKAGE_TABLE:
		cfa = walk->sp + 8 + ((walk->ip & 15) >= 11 ? 8 : 0);
		break;
	case FRAME_SIGNAL:
		cfa = walk->sp;
		if (!read_word(&walk->ip, cfa + SIGNAL_IP) || !read_word(&walk->sp, cfa + SIGNAL_SP) ||
		    !read_word(&walk->bp, cfa + SIGNAL_BP))
			return walk_stop(walk, WALK_UNREADABLE);
		walk->is_return = 0;
		walk->pointer_is_lost = 0;
		return 0;
	case FRAME_OUTERMOST:
		return walk_stop(walk, WALK_COMPLETE);
	case FRAME_UNSUPPORTED:
		return walk_stop(walk, WALK_UNSUPPORTED);
	default:
		return walk_by_pointer(walk, WALK_NO_ROW);
	}
	/* The stack of a caller is above that of what it calls. */
	if (cfa <= walk->sp)
		return walk_stop(walk, WALK_UNREADABLE);
	switch ((row >> 36) & 15) {
	case POINTER_UNCHANGED:
		break;
	case POINTER_AT_FRAME:
		if (!read_word(&saved, cfa + pointer_offset))
			return walk_stop(walk, WALK_UNREADABLE);
		walk->bp = saved;
		walk->pointer_is_lost = 0;
		break;
	case POINTER_AT_FRAME_POINTER:
		if (walk->pointer_is_lost || !read_word(&saved, walk->bp + pointer_offset))
			return walk_stop(walk, WALK_UNREADABLE);
		walk->bp = saved;
		break;
	default:
		walk->pointer_is_lost = 1;
	}
	if (!read_word(&walk->ip, cfa - 8))
		return walk_stop(walk, WALK_UNREADABLE);
	if (cfa - 8 == walk->slot)
		walk->ip = walk->slot_return;
	walk->sp = cfa;
	walk->is_return = 1;
	return walk->ip == 0 ? walk_stop(walk, WALK_COMPLETE) : 0;
}

/* True before the first instruction of a program, which nothing called. The kernel starts a program
 * with zeros in all registers but the instruction and the stack pointer (ELF_PLAT_INIT). */
INLINE bool is_at_start(const struct pt_regs___walk *registers)
{
	return (registers->r15 | registers->r14 | registers->r13 | registers->r12 | registers->bp |
		registers->bx | registers->r11 | registers->r10 | registers->r9 | registers->r8 |
		registers->ax | registers->cx | registers->dx | registers->si | registers->di) == 0;
}

/* A walk and what it has found. */
struct walk_trail {
	struct walk walk;
	u64 *addresses;
	u32 depth;
};

static long walk_frame(u32 index, struct walk_trail *trail)
{
	if (index >= WALK_DEPTH)
		return walk_stop(&trail->walk, WALK_TOO_DEEP);
	trail->addresses[index] = trail->walk.ip;
	trail->depth = index + 1;
	walk_step(&trail->walk);
	return trail->walk.end != WALK_GOING;
}

struct walk_result {
	u64 wanted;  /* an address whose rows user space should be asked for; 0 for none */
	u32 depth;   /* frames found */
	u32 guesses; /* of them by frame pointer, for want of a row */
};

/* A return address that is known where the stack may have a return probe's instead. */
struct walk_return {
	u64 slot;    /* where it was on the stack */
	u64 address; /* 0: there is none */
};

/* Walks the current task's user stack into `addresses` (WALK_DEPTH of them), leaf first. Returns
 * why it ended. */
static NOINLINE u32 walk_user_stack(u64 *addresses, const struct process_id *id,
				    const struct walk_return *known, struct walk_result *result)
{
	const struct unwind_process *process;
	const struct pt_regs___walk *registers;
	struct walk_trail trail = { .addresses = addresses };

	result->wanted = 0;
	result->depth = result->guesses = 0;
	registers = (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	if (!registers || registers->cs != USER_CODE_SEGMENT_64)
		return WALK_NO_PROCESS;
	process = bpf_map_lookup_elem(&unwind_processes, &id->tgid);
	if (!process || process->start != id->start / NANOSECONDS_PER_TICK ||
	    process->image != id->image) {
		if (!is_at_start(registers))
			return WALK_NO_PROCESS;
		addresses[0] = registers->ip;
		result->depth = 1;
		return WALK_COMPLETE;
	}
	trail.walk.first = process->first;
	trail.walk.count = process->count;
	trail.walk.ip = registers->ip;
	trail.walk.sp = registers->sp;
	trail.walk.bp = registers->bp;
	if (known && known->address) {
		trail.walk.slot = known->slot;
		trail.walk.slot_return = known->address;
	}
	bpf_loop(WALK_DEPTH + 1, walk_frame, &trail, 0);
	result->wanted = trail.walk.wanted;
	result->depth = trail.depth;
	result->guesses = trail.walk.guesses;
	return trail.walk.end;
}

#endif
