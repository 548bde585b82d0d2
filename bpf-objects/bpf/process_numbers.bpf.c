/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of the reader's pid namespace, each with the number that it has there and the one
 * that it has in the initial namespace, which is what all other programs see. Loaded only where the
 * two differ.
 */
#include "helpers.h"

HELPER(long, bpf_seq_write, 127, void *file, const void *data, u32 size);

struct process_numbers {
	u32 outer; /* in the initial namespace */
	u32 inner; /* in the reader's */
};

struct upid {
	int nr;
} CORE;

struct pid {
	unsigned int level;
	struct upid numbers[1];
} CORE;

struct task_struct {
	int pid;
	int tgid;
	struct pid *thread_pid;
} CORE;

struct bpf_iter_meta {
	void *seq;
} CORE;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;

SEC("iter/task")
int list_processes(struct bpf_iter__task *context)
{
	const struct task_struct *task = context->task;
	const struct task_struct *reader = (const void *)bpf_get_current_task();
	struct process_numbers numbers = {};
	const struct pid *pid = NULL;
	const char *place;
	u32 level = 0;
	int inner = 0;

	if (!task || task->pid != task->tgid)
		return 0;
	/* The iterator visits the reader's namespace and those in it; how deep it is, the reader's own
	 * number tells. */
	if (core_read(&pid, reader, thread_pid) != 0 || core_read(&level, pid, level) != 0)
		return 0;
	if (core_read(&pid, task, thread_pid) != 0 || !pid)
		return 0;
	place = (const char *)pid + core_field_offset(((struct pid *)0)->numbers) +
		(u64)level * core_type_size(struct upid) + core_field_offset(((struct upid *)0)->nr);
	if (bpf_probe_read_kernel(&inner, sizeof(inner), place) != 0)
		return 0;
	numbers.outer = task->tgid;
	numbers.inner = inner;
	bpf_seq_write(context->meta->seq, &numbers, sizeof(numbers));
	return 0;
}

LICENSE("GPL");
