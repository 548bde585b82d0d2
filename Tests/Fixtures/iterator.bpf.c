/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a line for every task when its link's iterator is read: "tgid pid". */
#include "helpers.h"

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 seq_num;
} CORE;

struct task_struct {
	int pid;
	int tgid;
} CORE;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;

HELPER(long, bpf_seq_printf, 126, struct seq_file *file, const char *format, u32 size,
       const void *arguments, u32 arguments_size);

SEC("iter/task")
int print_task(struct bpf_iter__task *context)
{
	static const char format[] = "%d %d\n";
	struct task_struct *task = context->task;
	u64 arguments[2];

	if (!task)
		return 0;
	arguments[0] = task->tgid;
	arguments[1] = task->pid;
	bpf_seq_printf(context->meta->seq, format, sizeof(format), arguments, sizeof(arguments));
	return 0;
}

LICENSE("GPL");
