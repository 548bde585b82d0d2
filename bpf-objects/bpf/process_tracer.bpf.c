/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells of programs that begin and of processes that end. The contract with user space is in
 * process_events.h.
 *
 * Three programs do the same for each: a BTF tracepoint, a raw tracepoint, a perf tracepoint.
 */
#include "economy.h"
#include "helpers.h"
#include "process_events.h"

#define PF_FORKNOEXEC 0x00000040      /* include/linux/sched.h */
#define SIGNAL_GROUP_EXIT 0x00000004  /* include/linux/sched/signal.h */

HELPER(long, read_kernel_text, 115, void *to, u32 size, const void *from);

/* ---- Kernel fields, found by name. ---- */

struct signal_struct___life {
	struct {
		int counter;
	} live;
	int group_exit_code;
	unsigned int flags;
} CORE;

struct mm_struct___life {
	unsigned long arg_start;
	unsigned long arg_end;
} CORE;

struct task_struct___life {
	unsigned int flags;
	int exit_code;
	int tgid;
	u64 start_time;
	struct task_struct___life *real_parent;
	struct task_struct___life *group_leader;
	struct signal_struct___life *signal;
	struct mm_struct___life *mm;
} CORE;

struct linux_binprm___life {
	int argc;
	const char *filename;
} CORE;

/* ---- Maps. ---- */

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct process_control);
} control SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct process_counters);
} counters SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct process_record);
} scratch SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} events SEC(".maps");

/* Two threads that are the last ones at the same time both find that none is left. */
struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process_end);
	__type(value, u32);
} ended SEC(".maps");

#define COUNT(field)                                                              \
	do {                                                                      \
		u32 zero_ = 0;                                                    \
		struct process_counters *count_ =                                 \
			bpf_map_lookup_elem(&counters, &zero_);                   \
		if (count_)                                                       \
			count_->field++;                                          \
	} while (0)

/* ---- What both have. ---- */

/* When one process in n is picked it is so for all of its life, by when it began. */
INLINE u32 weight_of(u64 start)
{
	u32 zero = 0, sampling;
	const struct economy *how = bpf_map_lookup_elem(&economy, &zero);

	if (!how)
		return 1; /* an array: cannot happen */
	sampling = READ_ONCE(how->sampling);
	if (LIKELY(sampling <= 1))
		return 1;
	return (u32)(start * 0x9e3779b97f4a7c15ULL >> 32) % sampling == 0 ? sampling : 0;
}

/* The record of something that happens to the current process, which began at `start`; NULL when it
 * is not recorded, which is counted. */
INLINE struct process_record *record_of(u32 what, u64 start)
{
	const struct task_struct___life *task = (const void *)bpf_get_current_task(), *parent;
	u32 zero = 0, weight, tgid = bpf_get_current_pid_tgid() >> 32;
	struct process_control *settings = bpf_map_lookup_elem(&control, &zero);
	struct process_record *record = bpf_map_lookup_elem(&scratch, &zero);

	if (!settings || !record)
		return NULL; /* arrays: cannot happen */
	if (UNLIKELY(READ_ONCE(settings->paused))) {
		COUNT(paused);
		return NULL;
	}
	if (!process_wanted(tgid)) {
		COUNT(excluded);
		return NULL;
	}
	weight = weight_of(start);
	if (UNLIKELY(weight == 0)) {
		COUNT(sampled_out);
		return NULL;
	}
	record->time = bpf_ktime_get_ns();
	record->start = start;
	record->cgroup = bpf_get_current_cgroup_id();
	record->tgid = tgid;
	record->parent = 0;
	if (core_read(&parent, task, real_parent) == 0)
		core_read(&record->parent, parent, tgid);
	record->user = (u32)bpf_get_current_uid_gid();
	record->weight = weight;
	record->what = what;
	record->flags = 0;
	record->status = 0;
	record->argument_count = 0;
	record->length[0] = 0;
	record->length[1] = 0;
	bpf_get_current_comm(record->command, sizeof(record->command));
	if (UNLIKELY(settings->first_event == 0))
		settings->first_event = record->time;
	return record;
}

/* A reader sleeps until enough is there to be worth its while, and looks now and then. */
INLINE int send(struct process_record *record, u64 bytes)
{
	u64 wake = bpf_ringbuf_query(&events, RING_AVAILABLE) >=
				   bpf_ringbuf_query(&events, RING_SIZE) / 4
			   ? RING_FORCE_WAKEUP
			   : RING_NO_WAKEUP;

	if (bpf_ringbuf_output(&events, record, __builtin_offsetof(struct process_record, text) + bytes,
			       wake) == 0)
		COUNT(sent);
	else
		COUNT(lost);
	return 0;
}

INLINE u64 start_of(const struct task_struct___life *task)
{
	const struct task_struct___life *leader;
	u64 start = 0;

	if (core_read(&leader, task, group_leader) == 0)
		core_read(&start, leader, start_time);
	return start;
}

/* ---- A program begins. ---- */

/* Reads the path; its length with its zero, 0 when it cannot be read. */
INLINE u64 read_path(struct process_record *record, const char *from)
{
	long length = read_kernel_text(record->text, PROCESS_PATH, from);
	char last = 0;

	if (length <= 0 || length > PROCESS_PATH)
		return 0;
	if (length == PROCESS_PATH &&
	    bpf_probe_read_kernel(&last, 1, from + PROCESS_PATH - 1) == 0 && last != 0) {
		record->flags |= PROCESS_PATH_CUT;
		COUNT(paths_cut);
	}
	return length;
}

/* Reads the arguments to behind the path; their length with their zeros. */
INLINE u64 read_arguments(struct process_record *record, u64 place)
{
	const struct task_struct___life *task = (const void *)bpf_get_current_task();
	const struct mm_struct___life *memory;
	unsigned long from = 0, to = 0;
	u64 length;

	if (core_read(&memory, task, mm) == 0 && core_read(&from, memory, arg_start) == 0)
		core_read(&to, memory, arg_end);
	length = to > from ? to - from : 0;
	if (length > PROCESS_ARGUMENTS) {
		length = PROCESS_ARGUMENTS;
		record->flags |= PROCESS_ARGUMENTS_CUT;
	}
	/* There is at least a zero: execve() of nothing gives an empty argument. */
	if (length == 0 || place > PROCESS_PATH ||
	    bpf_probe_read_user(record->text + place, length, (const void *)from) != 0) {
		record->flags |= PROCESS_ARGUMENTS_UNREAD;
		COUNT(arguments_unread);
		return 0;
	}
	if (record->flags & PROCESS_ARGUMENTS_CUT)
		COUNT(arguments_cut);
	return length;
}

static NOINLINE int begin(const char *path, u32 arguments)
{
	struct process_record *record =
		record_of(PROCESS_EXEC, start_of((const void *)bpf_get_current_task()));
	u64 length[2];

	if (!record)
		return 0;
	record->argument_count = arguments;
	length[0] = read_path(record, path);
	length[1] = read_arguments(record, length[0]);
	record->length[0] = length[0];
	record->length[1] = length[1];
	return send(record, length[0] + length[1]);
}

/* ---- A process ends. ---- */

/* True for one of the threads that end last. */
INLINE bool is_first_to_tell(const struct process_end *end)
{
	u32 one = 1;

	if (bpf_map_update_elem(&ended, end, &one, UPDATE_NOEXIST) == 0)
		return 1;
	return bpf_map_lookup_elem(&ended, end) == NULL;
}

static NOINLINE int end(void)
{
	const struct task_struct___life *task = (const void *)bpf_get_current_task(), *leader;
	struct process_end identity = { .tgid = bpf_get_current_pid_tgid() >> 32 };
	const struct signal_struct___life *signal;
	struct process_record *record;
	unsigned int flags = 0;
	int threads_left = 1;

	if (core_read(&signal, task, signal) != 0 ||
	    core_read(&threads_left, signal, live.counter) != 0 || threads_left != 0)
		return 0;
	identity.start = start_of(task);
	if (!is_first_to_tell(&identity))
		return 0;
	record = record_of(PROCESS_EXIT, identity.start);
	if (!record)
		return 0;
	core_read(&leader, task, group_leader);
	core_read(&flags, leader, flags);
	if (flags & PF_FORKNOEXEC)
		record->flags |= PROCESS_NEVER_EXECUTED;
	/* Like wait_task_zombie() of kernel/exit.c. */
	core_read(&flags, signal, flags);
	if (flags & SIGNAL_GROUP_EXIT)
		core_read(&record->status, signal, group_exit_code);
	else
		core_read(&record->status, leader, exit_code);
	return send(record, 0);
}

/* ---- Programs. ---- */

/* Arguments of a raw tracepoint: one 64-bit word each. */
struct raw_arguments {
	u64 args[3];
};

/* (task, old thread id, program) */
INLINE int begin_raw(const struct raw_arguments *context)
{
	const struct linux_binprm___life *program = (const void *)context->args[2];
	const char *path = NULL;
	int arguments = 0;

	core_read(&path, program, filename);
	core_read(&arguments, program, argc);
	return begin(path, arguments);
}

SEC("tp_btf/sched_process_exec")
int process_exec_typed(struct raw_arguments *context)
{
	return begin_raw(context);
}

SEC("raw_tp/sched_process_exec")
int process_exec_raw(struct raw_arguments *context)
{
	return begin_raw(context);
}

/* /sys/kernel/tracing/events/sched/sched_process_exec/format */
struct exec_event {
	u64 common;
	u32 filename; /* its offset from the beginning in the lower half */
	s32 pid;
	s32 old_pid;
};

SEC("tracepoint/sched/sched_process_exec")
int process_exec_perf(struct exec_event *context)
{
	return begin((const char *)context + (context->filename & 0xffff), 0);
}

SEC("tp_btf/sched_process_exit")
int process_exit_typed(void *context)
{
	return end();
}

SEC("raw_tp/sched_process_exit")
int process_exit_raw(void *context)
{
	return end();
}

SEC("tracepoint/sched/sched_process_exit")
int process_exit_perf(void *context)
{
	return end();
}

LICENSE("GPL");
