/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which span the current thread is at work on, where its process tells (OpenTelemetry's OTEP 4947):
 * a thread-local variable points to a record of trace id, span id and a byte that is 1 when they
 * hold. x86-64, whose thread pointer is fs_base. Included once by an object.
 *
 * User space (ContextWatch.swift) writes, at any time:
 *
 *   map                    type    key               value
 *   thread_contexts        hash    u32 process id    struct thread_context
 *   thread_context_count   array   u32 (0)           u32 entries of it; 0: no thread is asked
 *
 * What a thread says is read while it is interrupted, on its own CPU, as the OTEP demands.
 */
#ifndef SWIFT_EBPF_THREAD_CONTEXT_H
#define SWIFT_EBPF_THREAD_CONTEXT_H

#include "program_image.h"
#include "span_link.h"

#define THREAD_CONTEXTS 512

/* Where a process keeps the variable. */
struct thread_context {
	u64 start;  /* of the process, in clock ticks, as user space can know it */
	u64 image;  /* struct process_id: which program in the process this is about */
	u64 offset; /* from the thread pointer, or from the start of the module's memory */
	u32 module; /* its number in the dynamic thread vector; 0: the offset is the thread pointer's */
	u32 stride; /* bytes of an entry of that vector: 16 with glibc, 8 with musl */
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, THREAD_CONTEXTS);
	__type(key, u32);
	__type(value, struct thread_context);
} thread_contexts SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} thread_context_count SEC(".maps");

/* All that it costs while no process tells. */
INLINE bool threads_tell(void)
{
	u32 zero = 0, *count = bpf_map_lookup_elem(&thread_context_count, &zero);

	return count && READ_ONCE(*count) != 0;
}

struct thread_struct___x86_64 {
	unsigned long fsbase;
} CORE;

struct task_struct___x86_64 {
	struct thread_struct___x86_64 thread;
} CORE;

/* The record up to its attributes, and how much of this structure that is. */
struct context_record {
	struct span_link link;
	u8 valid;
	u8 flags;
	u16 attributes_size;
	u32 padding;
};

#define CONTEXT_RECORD 28

/* Both libraries keep the vector's address in the second word of what the thread pointer points to. */
#define THREAD_VECTOR 8
#define VECTOR_UNALLOCATED ((u64)-1)

/* The address of the variable in the current thread; 0 where it has none yet. */
INLINE long variable_of_thread(const struct thread_context *place, u64 *address)
{
	const struct task_struct___x86_64 *task = (const void *)bpf_get_current_task();
	unsigned long pointer = 0;
	u64 vector = 0, block = 0;
	long status;

	*address = 0;
	if (!core_field_exists(task->thread.fsbase))
		return 0;
	status = core_read(&pointer, task, thread.fsbase);
	if (status != 0 || pointer == 0)
		return status;
	if (place->module == 0) {
		*address = pointer + place->offset;
		return 0;
	}
	status = bpf_probe_read_user(&vector, sizeof(vector), (void *)(pointer + THREAD_VECTOR));
	if (status != 0)
		return status;
	status = bpf_probe_read_user(&block, sizeof(block),
				     (void *)(vector + (u64)place->module * place->stride));
	/* A thread that has not used the module's variables yet has no memory for them. */
	if (status == 0 && block != 0 && block != VECTOR_UNALLOCATED)
		*address = block + place->offset;
	return status;
}

/* Where the threads of a process tell, if it is the one that was looked at; NULL otherwise. */
INLINE const struct thread_context *context_of(u32 tgid, u64 start, u64 image)
{
	const struct thread_context *place = bpf_map_lookup_elem(&thread_contexts, &tgid);

	if (!place || place->image != image || place->start != start / NANOSECONDS_PER_TICK)
		return NULL;
	return place;
}

/* The span that the current thread is at work on: 1, 0 for none, -1 where it could not be read. */
INLINE int read_span(const struct thread_context *place, struct span_link *link)
{
	struct context_record record;
	u64 address = 0, pointer = 0;

	if (variable_of_thread(place, &address) != 0)
		return -1;
	if (address == 0)
		return 0;
	if (bpf_probe_read_user(&pointer, sizeof(pointer), (void *)address) != 0)
		return -1;
	if (pointer == 0)
		return 0;
	if (bpf_probe_read_user(&record, CONTEXT_RECORD, (void *)pointer) != 0)
		return -1;
	if (record.valid != 1 || (record.link.trace_id[0] | record.link.trace_id[1]) == 0 ||
	    record.link.span_id == 0)
		return 0;
	*link = record.link;
	return 1;
}

#endif
