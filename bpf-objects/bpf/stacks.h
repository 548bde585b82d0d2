/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User stacks by a 128-bit id. A stack's addresses go through the ring once, before anything refers
 * to its id, and again only after `generation` changed or after the kernel forgot that it sent them;
 * so a reader that keeps the stacks it received can resolve every id. Included once by an object.
 *
 *   map           type            key               value
 *   seen_stacks   LRU hash        struct stack_id   u32 generation it was sent in
 *   stack_space   array           u32 CPU           private: where stacks are taken
 *   events        ring buffer     -                 struct stack_event and the object's own
 */
#ifndef SWIFT_EBPF_STACKS_H
#define SWIFT_EBPF_STACKS_H

#include "helpers.h"

/* Frames per stack at most: perf_event_max_stack's default. */
#define STACK_DEPTH 127

/* Both halves 0: no stack. */
struct stack_id {
	u64 low;
	u64 high;
};

/* Part of an object's control. */
struct stack_settings {
	u32 generation; /* change it to have every stack sent again */
	u32 limit;      /* kernel.perf_event_max_stack, to know a cut stack; 0: STACK_DEPTH */
	u32 wake_bytes; /* unread ring bytes that wake the reader; 0: a quarter of the ring */
	u32 padding;
};

/* Part of an object's counters, which programs that may be preempted update. */
struct stack_counters {
	u64 sent; /* stack events written */
	u64 lost; /* there was one, but the ring was full or the CPU's space taken */
	u64 cut;  /* deeper than the limit */
	u64 none; /* the kernel could not read one */
};

/* Every record of the ring begins with its kind; this one is of all objects. */
#define STACK_EVENT 1

enum stack_bits {
	STACK_CUT = 1 << 1, /* the frames nearest to the root are missing: too deep */
	STACK_BROKEN = 1 << 2, /* they are missing: the walk did not find its way */
};

/* The addresses of a stack, leaf first. The record ends after `depth` of them. */
struct stack_event {
	u32 kind;  /* STACK_EVENT */
	u16 flags; /* enum stack_bits */
	u16 depth;
	struct stack_id id;
	u64 addresses[STACK_DEPTH];
};

struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct stack_id);
	__type(value, u32);
} seen_stacks SEC(".maps");

/* A program in process context may be preempted by another thread that runs the same program on the
 * same CPU, so each CPU has room for several stacks. */
#define STACK_SPACES 4

struct stack_space {
	u64 users[STACK_SPACES];
	struct stack_event stacks[STACK_SPACES];
};

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stack_space);
} stack_space SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} events SEC(".maps");

#define ADD(pointer, amount) ((void)__atomic_fetch_add((pointer), (amount), __ATOMIC_RELAXED))

/* A reader sleeps until enough is there to be worth its while. */
INLINE u64 wake_flags(const struct stack_settings *settings)
{
	u64 enough = settings->wake_bytes;

	if (enough == 0)
		enough = bpf_ringbuf_query(&events, RING_SIZE) / 4;
	return bpf_ringbuf_query(&events, RING_AVAILABLE) >= enough ? RING_FORCE_WAKEUP
								    : RING_NO_WAKEUP;
}

/* Two independent 64-bit mixes of the stack in one of the CPU's spaces: equal ids mean equal stacks for
 * every practical purpose. Global, so that the verifier walks the loop once. */
NOINLINE int identify_stack(u64 number)
{
	struct stack_space *space;
	struct stack_event *stack;
	u32 zero = 0, depth;
	u64 low, high;

	space = bpf_map_lookup_elem(&stack_space, &zero);
	if (!space || number >= STACK_SPACES)
		return 0; /* cannot happen */
	stack = &space->stacks[number];
	depth = stack->depth;
	low = 0x9e3779b97f4a7c15ULL ^ depth;
	high = 0xd1b54a32d192ed03ULL + depth;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < STACK_DEPTH; i++) {
		u64 address;

		if (i >= depth)
			break;
		address = stack->addresses[i];
		low = (low ^ address) * 0xff51afd7ed558ccdULL;
		low ^= low >> 32;
		high = (high + address) * 0xc4ceb9fe1a85ec53ULL;
		high ^= high >> 29;
	}
	/* Never all zero, which means "no stack". */
	stack->id.low = low | 1;
	stack->id.high = high;
	return 0;
}

enum stack_outcome {
	STACK_KNOWN, /* the reader has it */
	STACK_SENT,  /* for the first time */
	STACK_NONE,
	STACK_LOST,
};

/* Identifies the addresses of `stack`, which has that number, its depth and its flags, and sends them if
 * the reader may not have them yet. */
static NOINLINE int send_stack(struct stack_event *stack, u64 number,
			       const struct stack_settings *settings, struct stack_counters *count)
{
	u32 generation = settings->generation, depth = stack->depth;
	u32 *sent;

	if (depth == 0 || depth > STACK_DEPTH) {
		ADD_ONE(&count->none);
		return STACK_NONE;
	}
	stack->kind = STACK_EVENT;
	if (stack->flags & STACK_CUT)
		ADD_ONE(&count->cut);
	identify_stack(number);

	sent = bpf_map_lookup_elem(&seen_stacks, &stack->id);
	if (sent && *sent == generation)
		return STACK_KNOWN;
	if (bpf_ringbuf_output(&events, stack,
			       sizeof(*stack) - sizeof(stack->addresses) + depth * sizeof(u64),
			       wake_flags(settings)) != 0) {
		ADD_ONE(&count->lost);
		return STACK_LOST;
	}
	ADD_ONE(&count->sent);
	/* Only now, so that another CPU which finds it here can rely on it. When this fails the
	 * stack is sent once more: no harm. */
	bpf_map_update_elem(&seen_stacks, &stack->id, &generation, UPDATE_ANY);
	return STACK_SENT;
}

/* Takes the current user stack into `stack` by frame pointers. */
static NOINLINE int read_stack(void *context, struct stack_event *stack,
			       const struct stack_settings *settings)
{
	u32 limit = settings->limit;
	long bytes;

	bytes = bpf_get_stack(context, stack->addresses, sizeof(stack->addresses), F_USER_STACK);
	stack->depth = bytes > 0 ? (u32)bytes / sizeof(u64) : 0;
	if (limit == 0 || limit > STACK_DEPTH)
		limit = STACK_DEPTH;
	stack->flags = stack->depth >= limit ? STACK_CUT : 0;
	return 0;
}

/*
 * The number of a space of this CPU that is the caller's own until it counts itself out;
 * STACK_SPACES when all are taken. Global, so that the verifier does not follow each number on its own.
 *
 * A space is claimed by counting oneself in and then being the only one: of two that claim at the
 * same time at most one finds itself alone, so nobody overwrites a stack that is being taken. It
 * needs no atomic operation that returns a value, which came with Linux 5.12.
 */
NOINLINE u64 claim_stack_space(void)
{
	struct stack_space *space;
	u32 zero = 0;

	space = bpf_map_lookup_elem(&stack_space, &zero);
	if (!space)
		return STACK_SPACES; /* an array: cannot happen */
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < STACK_SPACES; i++) {
		u64 *users = &space->users[i];

		ADD_ONE(users);
		if (READ_ONCE(*users) == 1)
			return i;
		ADD(users, -1);
	}
	return STACK_SPACES;
}

/* The spaces of this CPU, of which `number` is the caller's own until release_stack; NULL when all are
 * taken, which is counted. */
INLINE struct stack_space *claim_stack(u64 *number, struct stack_counters *count)
{
	struct stack_space *space;
	u32 zero = 0;

	space = bpf_map_lookup_elem(&stack_space, &zero);
	if (!space)
		return NULL; /* an array: cannot happen */
	*number = claim_stack_space();
	if (*number < STACK_SPACES)
		return space;
	ADD_ONE(&count->lost);
	return NULL;
}

/* Gives the space back. Leaves the id of the stack in `id` when it is KNOWN or SENT. */
INLINE void release_stack(struct stack_space *space, u64 number, int outcome, struct stack_id *id)
{
	if (outcome == STACK_KNOWN || outcome == STACK_SENT)
		*id = space->stacks[number].id;
	ADD(&space->users[number], -1);
}

#endif
