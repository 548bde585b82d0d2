/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of processes: what they run is remembered under the ids of their start, and their ends are told.
 */
#ifndef SWIFT_EBPF_MEMORY_PROCESSES_H
#define SWIFT_EBPF_MEMORY_PROCESSES_H

#include "memory_growth.h"

/* Tells the reader that a process ended, or what it ran; what is not told stays in `processes` until
 * the end, so nothing is lost. */
INLINE void forget_program(u32 tgid)
{
	struct process_id *program = bpf_map_lookup_elem(&programs, &tgid);
	struct memory_exit_event *event;

	if (!program)
		return;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) {
		event->kind = MEMORY_EXIT_EVENT;
		event->padding = 0;
		event->process = *program;
		bpf_ringbuf_submit(event, 0);
	}
	bpf_map_delete_elem(&programs, &tgid);
}

/* (task, old thread id, program) */
SEC("raw_tp/sched_process_exec")
int memory_exec(struct raw_tracepoint *context)
{
	u64 pid_tgid = bpf_get_current_pid_tgid();
	u32 tid = pid_tgid, tgid = pid_tgid >> 32, old_tid = context->args[1];
	struct memory_counters *count = counts();
	struct process_id id;

	/* Its number, and what it was doing, were another program's. */
	bpf_map_delete_elem(&threads, &old_tid);
	if (tid != old_tid)
		bpf_map_delete_elem(&threads, &tid);
	forget_program(tgid);
	if (!count || !process_wanted(tgid))
		return 0;
	identify_process((const void *)bpf_get_current_task(), &id);
	announce(&id, 1, 0, bpf_ktime_get_ns(), count);
	return 0;
}

/* (task) */
SEC("raw_tp/sched_process_exit")
int memory_exit(struct raw_tracepoint *context)
{
	const struct task_struct___memory *task = (const void *)context->args[0];
	const struct signal_struct___memory *signal;
	u64 pid_tgid = bpf_get_current_pid_tgid(), most = 0;
	struct memory_process *process;
	struct process_id id = {};
	u32 tid = pid_tgid;
	int threads_left = 0;

	bpf_map_delete_elem(&threads, &tid);
	if (core_read(&signal, task, signal) != 0 ||
	    core_read(&threads_left, signal, live.counter) != 0 || threads_left != 0)
		return 0;
	process = process_of(task, &id);
	if (process && core_read(&most, signal, maxrss) == 0 && most > process->peak_pages)
		process->peak_pages = most;
	forget_program(pid_tgid >> 32);
	return 0;
}

#endif
