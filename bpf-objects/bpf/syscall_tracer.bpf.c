/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts and times system calls where they happen, and on request sends each one with its
 * arguments. The contract with user space is in syscall_events.h.
 *
 * Each pair of programs does the same with other means: BTF tracepoints, raw tracepoints (both keep
 * a thread's start in task storage, Linux 5.12), raw tracepoints and perf tracepoints with a hash.
 */
#include "economy.h"
#include "helpers.h"
#include "syscall_events.h"

#define MAX_ERRNO 4095
#define PF_KTHREAD 0x00200000
#define TASK_SLEEPS 3	      /* TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE */
#define X86_TS_COMPAT 0x2     /* arch/x86/include/asm/thread_info.h */
#define ARM64_TIF_32BIT 22    /* arch/arm64/include/asm/thread_info.h */
#define STORAGE_CREATE 1

HELPER(long, read_user_text, 114, void *to, u32 size, const void *from);
HELPER(long, read_kernel_text, 115, void *to, u32 size, const void *from);
HELPER(long, write_sequence, 127, void *file, const void *data, u32 size);
HELPER(void *, storage_of_task, 156, void *map, void *task, void *value, u64 flags);

/* ---- Kernel fields, found by name. ---- */

struct thread_info___calls {
	unsigned long flags;
	u32 status; /* x86 */
} CORE;

struct kernfs_node___calls {
	u64 id;
} CORE;

struct cgroup___calls {
	struct {
		struct cgroup___calls *parent; /* `self` is the first member of its cgroup */
	} self;
	struct kernfs_node___calls *kn;
} CORE;

struct css_set___calls {
	struct cgroup___calls *dfl_cgrp;
} CORE;

struct task_struct___calls {
	struct thread_info___calls thread_info;
	unsigned int flags;
	unsigned int __state;
	int pid;
	int tgid;
	u64 start_boottime;
	struct task_struct___calls *group_leader;
	struct css_set___calls *cgroups;
	char comm[COMMAND_LENGTH];
} CORE;

struct pt_regs___x86 {
	unsigned long bx, cx, dx, si, di, bp, r8, r9, r10, orig_ax;
} CORE;

struct pt_regs___arm64 {
	u64 regs[31];
	int syscallno;
} CORE;

struct bpf_iter_meta___calls {
	void *seq;
} CORE;

struct bpf_iter__task___calls {
	struct bpf_iter_meta___calls *meta;
	struct task_struct___calls *task;
} CORE;

/* ---- Maps. ---- */

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct syscall_control);
} control SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, CALL_SLOTS);
	__type(key, u32);
	__type(value, struct call_rule);
} rules SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(map_flags, MAP_F_MMAPABLE);
	__uint(max_entries, (MAX_ERRNO + 1) / 64);
	__type(key, u32);
	__type(value, u64);
} errnos SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, CALL_SLOTS);
	__type(key, u32);
	__type(value, struct call_totals);
} totals SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 65536);
	__type(key, struct matrix_key);
	__type(value, struct matrix_value);
} matrix SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 65536);
	__type(key, struct histogram_key);
	__type(value, struct key_histogram);
} histograms SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct process_name);
} processes SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct syscall_counters);
} counters SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct syscall_event);
} scratch SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} events SEC(".maps");

/* A call in progress. */
struct thread_call {
	u64 entered; /* 0: none */
	u32 call;
	u32 weight;  /* for how many calls it stands */
	u64 process; /* 0: not looked up yet */
	u64 arguments[8]; /* six, and as many as make an index easy to bound */
};

struct {
	__uint(type, MAP_TASK_STORAGE);
	__uint(map_flags, MAP_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_call);
} threads SEC(".maps");

/* The same where there is no task storage, by task address. */
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct thread_call);
} thread_table SEC(".maps");

struct exec_path {
	char text[EVENT_TEXT];
};

/* By task address: the path given to an execve() in progress. */
struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, u64);
	__type(value, struct exec_path);
} exec_paths SEC(".maps");

/* ---- What a call is. ---- */

/* `typed`: the task came with its type, so that its fields are read without a helper. */
INLINE bool is_compat(const struct task_struct___calls *task, bool typed)
{
	unsigned long flags = 0;
	u32 status = 0;

	if (core_field_exists(task->thread_info.status)) {
		if (typed)
			status = task->thread_info.status;
		else
			core_read(&status, task, thread_info.status);
		return (status & X86_TS_COMPAT) != 0;
	}
	if (typed)
		flags = task->thread_info.flags;
	else
		core_read(&flags, task, thread_info.flags);
	return (flags >> ARM64_TIF_32BIT & 1) != 0;
}

INLINE u32 call_of(s64 number, bool compat)
{
	return ((u32)number & ~CALL_COMPAT) | (compat ? CALL_COMPAT : 0);
}

INLINE u32 slot_of(u32 call)
{
	u32 number = call & ~CALL_COMPAT;

	if (number >= CALL_SLOTS_OF_ABI)
		return CALL_SLOT_OTHER;
	return call & CALL_COMPAT ? number + CALL_SLOTS_OF_ABI : number;
}

/* The call of a thread from its registers, which came with their type; false when it is in none. */
INLINE bool typed_number_of(const void *registers, s64 *number)
{
	const struct pt_regs___x86 *x86 = registers;
	const struct pt_regs___arm64 *arm64 = registers;

	if (core_field_exists(x86->orig_ax))
		*number = (s64)x86->orig_ax;
	else
		*number = arm64->syscallno;
	return *number >= 0;
}

/* The same from any address. */
INLINE bool number_of(const void *registers, s64 *number)
{
	const struct pt_regs___x86 *x86 = registers;
	const struct pt_regs___arm64 *arm64 = registers;

	if (core_field_exists(x86->orig_ax)) {
		unsigned long value = 0;

		if (core_read(&value, x86, orig_ax) != 0)
			return 0;
		*number = (s64)value;
	} else {
		int value = 0;

		if (core_read(&value, arm64, syscallno) != 0)
			return 0;
		*number = value;
	}
	return *number >= 0;
}

INLINE void arguments_of(const void *registers, bool compat, u64 *to)
{
	const struct pt_regs___x86 *x86 = registers;
	const struct pt_regs___arm64 *arm64 = registers;

	if (!core_field_exists(x86->orig_ax)) {
		bpf_probe_read_kernel(to, 6 * sizeof(u64),
				      __builtin_preserve_access_index(&arm64->regs));
		return;
	}
	if (compat) {
		core_read(&to[0], x86, bx);
		core_read(&to[1], x86, cx);
		core_read(&to[2], x86, dx);
		core_read(&to[3], x86, si);
		core_read(&to[4], x86, di);
		core_read(&to[5], x86, bp);
		return;
	}
	core_read(&to[0], x86, di);
	core_read(&to[1], x86, si);
	core_read(&to[2], x86, dx);
	core_read(&to[3], x86, r10);
	core_read(&to[4], x86, r8);
	core_read(&to[5], x86, r9);
}

/* The process and when it began, so that a number used again is another process: the start in units
 * of 2^20 ns above the id. */
INLINE u64 identify(const struct task_struct___calls *task, u32 tgid)
{
	const struct task_struct___calls *leader;
	u64 start = 0;

	if (core_read(&leader, task, group_leader) == 0)
		core_read(&start, leader, start_boottime);
	return (start >> 20) << 32 | tgid;
}

/* ---- Counting. ---- */

INLINE u32 log2_of(u64 value)
{
	u32 power = 0;

	if (value >> 32) {
		value >>= 32;
		power = 32;
	}
	if (value >> 16) {
		value >>= 16;
		power += 16;
	}
	if (value >> 8) {
		value >>= 8;
		power += 8;
	}
	if (value >> 4) {
		value >>= 4;
		power += 4;
	}
	if (value >> 2) {
		value >>= 2;
		power += 2;
	}
	return power + (value >> 1 & 1);
}

/* The power's own bucket in *coarse. */
INLINE u32 bucket_of(u64 nanoseconds, u32 *coarse)
{
	u32 power;

	if (nanoseconds >> LATENCY_FIRST_POWER == 0) {
		*coarse = 0;
		return 0;
	}
	if (nanoseconds >> (LATENCY_LAST_POWER + 1) != 0) {
		*coarse = POWER_BUCKETS - 1;
		return LATENCY_BUCKETS - 1;
	}
	power = log2_of(nanoseconds);
	*coarse = 1 + power - LATENCY_FIRST_POWER;
	return 1 + (power - LATENCY_FIRST_POWER) * 4 + (nanoseconds >> (power - 2) & 3);
}

INLINE struct syscall_counters *own_counters(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

#define COUNT_MORE(field, amount)                              \
	do {                                                   \
		struct syscall_counters *count_ = own_counters(); \
		if (count_)                                    \
			count_->field += (amount);             \
	} while (0)
#define COUNT(field) COUNT_MORE(field, 1)

INLINE const struct economy *thrift(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&economy, &zero);
}

/* A process is named when something new of it is counted: rarely, and after execve again. Its name is that of
 * its first thread; others may have names of their own. */
INLINE void name_process(u64 process)
{
	const struct task_struct___calls *task = (const void *)bpf_get_current_task();
	const struct task_struct___calls *leader;
	struct process_name name;

	if (core_read(&leader, task, group_leader) != 0 ||
	    core_read(&name.name, leader, comm) != 0)
		return;
	name.name[COMMAND_LENGTH - 1] = 0;
	name.cgroup = bpf_get_current_cgroup_id();
	if (bpf_map_update_elem(&processes, &process, &name, UPDATE_ANY) != 0)
		COUNT(unnamed);
}

static NOINLINE int add_new_key(const struct matrix_key *key, u64 nanoseconds, u32 weight,
				u32 is_process)
{
	struct matrix_value value = { .count = weight, .total_ns = nanoseconds }, *present;

	if (!key)
		return 0;
	if (is_process)
		name_process(key->id);
	if (bpf_map_update_elem(&matrix, key, &value, UPDATE_NOEXIST) == 0)
		return 1;
	present = bpf_map_lookup_elem(&matrix, key);
	if (!present) {
		COUNT(matrix_lost);
		return 0;
	}
	/* Another CPU was first. */
	__atomic_fetch_add(&present->count, weight, __ATOMIC_RELAXED);
	__atomic_fetch_add(&present->total_ns, nanoseconds, __ATOMIC_RELAXED);
	return 1;
}

/* `weight` calls that took so long altogether. */
INLINE bool add_to_matrix(const struct matrix_key *key, u64 nanoseconds, u32 weight, u32 flags)
{
	struct matrix_value *value = bpf_map_lookup_elem(&matrix, key);

	if (UNLIKELY(!value))
		return add_new_key(key, nanoseconds, weight, flags & SYSCALLS_BY_PROCESS) != 0;
	__atomic_fetch_add(&value->count, weight, __ATOMIC_RELAXED);
	__atomic_fetch_add(&value->total_ns, nanoseconds, __ATOMIC_RELAXED);
	return 1;
}

static NOINLINE int add_to_histogram(u64 id, u32 call, u32 bucket, u32 weight)
{
	static const struct key_histogram empty;
	struct histogram_key key = { .id = id, .call = call };
	struct key_histogram *histogram = bpf_map_lookup_elem(&histograms, &key);

	if (!histogram) {
		bpf_map_update_elem(&histograms, &key, &empty, UPDATE_NOEXIST);
		histogram = bpf_map_lookup_elem(&histograms, &key);
	}
	if (!histogram || bucket >= POWER_BUCKETS) {
		COUNT(histograms_lost);
		return 0;
	}
	__atomic_fetch_add(&histogram->buckets[bucket], weight, __ATOMIC_RELAXED);
	return 1;
}

/* Whose line of the matrix a call is in. */
INLINE u64 owner(u32 flags, u64 process)
{
	if (flags & SYSCALLS_BY_CGROUP)
		return bpf_get_current_cgroup_id();
	return flags & SYSCALLS_BY_PROCESS ? process : 0;
}

/* ---- Events. ---- */

/* A reader sleeps until enough is there to be worth its while, and looks now and then. */
INLINE u64 wake_flags(void)
{
	return bpf_ringbuf_query(&events, RING_AVAILABLE) >= bpf_ringbuf_query(&events, RING_SIZE) / 4
		       ? RING_FORCE_WAKEUP
		       : RING_NO_WAKEUP;
}

INLINE u64 argument(const struct thread_call *thread, u32 number)
{
	u64 index = number - 1;

	/* Hidden from the compiler, which would check one register and use another. */
	asm volatile("%0 &= 7" : "+r"(index));
	return thread->arguments[index];
}

/* Reads a text; its length, 0 when it cannot be read. */
INLINE u32 read_text(char *to, u64 from, u32 *flags, u32 cut)
{
	long length;
	char next = 0;

	if (from == 0)
		return 0;
	length = read_user_text(to, EVENT_TEXT, (const void *)from);
	if (length <= 0 || length > EVENT_TEXT)
		return 0;
	if (length == EVENT_TEXT &&
	    bpf_probe_read_user(&next, 1, (const void *)(from + EVENT_TEXT - 1)) == 0 && next != 0) {
		*flags |= cut;
		COUNT(texts_cut);
	}
	return (u32)length;
}

INLINE u32 read_address(struct syscall_event *event, const struct thread_call *thread,
			const struct call_rule *rule)
{
	u64 from = argument(thread, rule->address);
	u64 length = argument(thread, rule->address_length);
	u32 size = 0;

	if (from == 0)
		return 0;
	if (rule->flags & CALL_ADDRESS_OUT) {
		if (event->result < 0 || length == 0 ||
		    bpf_probe_read_user(&size, sizeof(size), (const void *)length) != 0)
			return 0;
	} else {
		size = length > 128 ? 128 : (u32)length;
	}
	if (size > 128) /* sizeof(struct sockaddr_storage) */
		size = 128;
	if (size == 0 || bpf_probe_read_user(event->first, size, (const void *)from) != 0)
		return 0;
	return size;
}

INLINE u32 read_data(struct syscall_event *event, const struct thread_call *thread,
		     const struct call_rule *rule)
{
	u64 from = argument(thread, rule->data);
	u64 length;

	if (from == 0)
		return 0;
	if ((rule->flags & CALL_DATA_OUT) && event->result < 0)
		return 0;
	if (rule->data_bytes)
		length = rule->data_bytes;
	else if (rule->data_length)
		length = argument(thread, rule->data_length);
	else
		length = (u64)event->result;
	if (length > EVENT_DATA)
		length = EVENT_DATA;
	if (length == 0 || bpf_probe_read_user(event->second, (u32)length, (const void *)from) != 0)
		return 0;
	return (u32)length;
}

/* The texts and data that the arguments point to. */
INLINE void read_pointers(struct syscall_event *event, const struct thread_call *thread,
			  const struct call_rule *rule)
{
	const struct exec_path *path = NULL;
	u64 task;
	long length;

	if (rule->flags & CALL_REPLACES_PROGRAM) {
		task = bpf_get_current_task();
		path = bpf_map_lookup_elem(&exec_paths, &task);
	}
	if (path) {
		if (event->result == 0) {
			length = read_kernel_text(event->first, EVENT_TEXT, path->text);
			event->length[0] = length > 0 && length <= EVENT_TEXT ? length : 0;
		}
		bpf_map_delete_elem(&exec_paths, &task);
		if (event->result == 0)
			return;
	}
	if (rule->text[0]) {
		event->length[0] = read_text(event->first, argument(thread, rule->text[0]),
					     &event->flags, EVENT_TEXT_CUT);
	} else if (rule->address) {
		event->length[0] = read_address(event, thread, rule);
		event->flags |= EVENT_IS_ADDRESS;
	}
	if (rule->text[1]) {
		event->length[1] = read_text(event->second, argument(thread, rule->text[1]),
					     &event->flags, EVENT_SECOND_TEXT_CUT);
	} else if (rule->data) {
		event->length[1] = read_data(event, thread, rule);
		event->flags |= EVENT_IS_DATA;
	}
}

INLINE bool wants_stack(const struct syscall_control *settings, s64 result, u64 duration)
{
	const struct economy *how = thrift();

	if (!(settings->flags & SYSCALLS_STACKS) || !how || (how->flags & ECONOMY_NO_STACKS))
		return 0;
	return (result < 0 && result >= -MAX_ERRNO) || duration >= settings->stack_latency_ns;
}

/* Sends a call that has just returned, or that never will; 0 when there was no room. */
static NOINLINE int send_event(void *context, const struct thread_call *thread, s64 result,
			       u64 entered, u64 duration)
{
	const struct syscall_control *settings;
	const struct call_rule *rule;
	struct syscall_event *event;
	u32 zero = 0, slot, length;
	u64 size, pid_tgid;
	long bytes;

	if (!thread)
		return 1;
	event = bpf_map_lookup_elem(&scratch, &zero);
	settings = bpf_map_lookup_elem(&control, &zero);
	slot = slot_of(thread->call);
	rule = bpf_map_lookup_elem(&rules, &slot);
	if (!event || !settings || !rule)
		return 1; /* arrays: cannot happen */

	pid_tgid = bpf_get_current_pid_tgid();
	event->entered = entered;
	event->duration = duration;
	event->result = result;
	event->process = thread->process;
	__builtin_memcpy(event->arguments, thread->arguments, sizeof(event->arguments));
	event->tgid = pid_tgid >> 32;
	event->tid = (u32)pid_tgid;
	event->call = thread->call;
	event->flags = rule->flags & CALL_NEVER_RETURNS ? 0 : EVENT_RETURNED;
	event->length[0] = 0;
	event->length[1] = 0;
	event->depth = 0;
	event->weight = thread->weight;
	bpf_get_current_comm(event->command, sizeof(event->command));
	read_pointers(event, thread, rule);
	if ((event->flags & EVENT_RETURNED) && wants_stack(settings, result, duration)) {
		bytes = bpf_get_stack(context, event->stack, sizeof(event->stack), F_USER_STACK);
		if (bytes > 0 && bytes <= (long)sizeof(event->stack))
			event->depth = (u32)bytes / sizeof(u64);
		if (event->depth == EVENT_STACK) {
			event->flags |= EVENT_STACK_CUT;
			COUNT(stacks_cut);
		}
	}

	if (event->depth) {
		length = event->depth;
		if (length > EVENT_STACK)
			length = EVENT_STACK;
		size = __builtin_offsetof(struct syscall_event, stack) + length * sizeof(u64);
	} else if (event->length[1]) {
		length = event->length[1];
		if (length > EVENT_TEXT)
			length = EVENT_TEXT;
		size = __builtin_offsetof(struct syscall_event, second) + length;
	} else {
		length = event->length[0];
		if (length > EVENT_TEXT)
			length = EVENT_TEXT;
		size = __builtin_offsetof(struct syscall_event, first) + length;
	}
	if (bpf_ringbuf_output(&events, event, size, wake_flags()) != 0) {
		COUNT(events_lost);
		return 0;
	}
	COUNT(events_sent);
	return 1;
}

/* ---- A call begins. ---- */

/* What the programs know about the call they are in. */
struct admission {
	struct syscall_control *settings;
	const struct call_rule *rule;
	u32 call;
	u32 slot;
	u32 flags;
	u32 weight; /* 0: not picked */
};

/* True when the call is to be recorded; otherwise it has been counted. */
INLINE bool admit(struct admission *admission, s64 number, bool compat)
{
	const struct economy *how = thrift();
	u32 zero = 0;

	admission->weight = 1;
	admission->settings = bpf_map_lookup_elem(&control, &zero);
	if (!admission->settings || !how)
		return 0; /* arrays: cannot happen */
	if (UNLIKELY(READ_ONCE(admission->settings->paused))) {
		COUNT(paused);
		return 0;
	}
	if (!process_wanted(bpf_get_current_pid_tgid() >> 32)) {
		COUNT(excluded);
		return 0;
	}
	admission->flags = READ_ONCE(admission->settings->flags);
	admission->call = call_of(number, compat);
	admission->slot = slot_of(admission->call);
	admission->rule = bpf_map_lookup_elem(&rules, &admission->slot);
	if (!admission->rule)
		return 0;
	if (admission->flags & SYSCALLS_ALLOW_LIST ? admission->rule->verdict != RULE_ALLOW
						   : admission->rule->verdict == RULE_DENY) {
		COUNT(filtered);
		return 0;
	}
	admission->weight = economy_weight(how);
	if (UNLIKELY(admission->weight == 0)) {
		COUNT(sampled_out);
		return 0;
	}
	return 1;
}

static NOINLINE int keep_exec_path(u64 from)
{
	static const struct exec_path empty;
	struct exec_path *path;
	u64 task = bpf_get_current_task();

	if (bpf_map_update_elem(&exec_paths, &task, &empty, UPDATE_ANY) != 0)
		return 0;
	path = bpf_map_lookup_elem(&exec_paths, &task);
	if (path)
		read_user_text(path->text, sizeof(path->text), (const void *)from);
	return 0;
}

/* A call that will not return is complete now. */
static NOINLINE int end_now(void *context, struct thread_call *thread, u32 flags, u64 now)
{
	struct matrix_key key = { .error = NEVER_RETURNED };
	bool complete = 1;

	if (!thread)
		return 0;
	thread->entered = 0;
	/* Without a result it is not what was asked for. */
	if (flags & (SYSCALLS_FAILED | SYSCALLS_ERRNOS | SYSCALLS_SLOW))
		return 0;
	if (flags & (SYSCALLS_BY_PROCESS | SYSCALLS_BY_CGROUP)) {
		key.id = owner(flags, thread->process);
		key.call = thread->call;
		complete = add_to_matrix(&key, 0, thread->weight, flags);
	}
	if (flags & (SYSCALLS_EVENTS_FAILED | SYSCALLS_EVENTS_SLOW))
		COUNT(events_unwanted);
	else if (flags & SYSCALLS_EVENTS)
		complete = send_event(context, thread, 0, now, 0) != 0 && complete;
	if (!complete)
		COUNT(lost);
	return 0;
}

/* Counts the call and remembers its start; `registers` or, without, `arguments` has its arguments. */
INLINE int begin(void *context, const struct admission *admission, struct thread_call *thread,
		 const struct task_struct___calls *task, const void *registers, const u64 *arguments)
{
	struct call_totals *total;
	u64 now;

	if (!thread) {
		COUNT(thread_lost);
		return 0;
	}
	total = bpf_map_lookup_elem(&totals, &admission->slot);
	if (!total)
		return 0;
	total->enters += admission->weight;
	if (UNLIKELY(admission->weight > 1))
		COUNT_MORE(enters_added, admission->weight - 1);
	thread->weight = admission->weight;
	thread->call = admission->call;
	if (thread->process == 0)
		thread->process = identify(task, bpf_get_current_pid_tgid() >> 32);
	if (UNLIKELY(admission->flags & SYSCALLS_EVENTS)) {
		if (registers)
			arguments_of(registers, (admission->call & CALL_COMPAT) != 0,
				     thread->arguments);
		else
			__builtin_memcpy(thread->arguments, arguments, 6 * sizeof(u64));
		if (admission->rule->flags & CALL_REPLACES_PROGRAM)
			keep_exec_path(argument(thread, admission->rule->text[0]));
	}
	/* Last, so that our own work is not in the call's time. */
	now = bpf_ktime_get_ns();
	thread->entered = now;
	if (UNLIKELY(admission->settings->first_enter == 0))
		admission->settings->first_enter = now;
	if (UNLIKELY(admission->rule->flags & CALL_NEVER_RETURNS))
		end_now(context, thread, admission->flags, now);
	return 0;
}

/* ---- A call returns. ---- */

INLINE bool result_wanted(const struct syscall_control *settings, u32 flags, u32 error, u64 duration)
{
	if (LIKELY(!(flags & (SYSCALLS_FAILED | SYSCALLS_ERRNOS | SYSCALLS_SLOW))))
		return 1;
	if ((flags & SYSCALLS_FAILED) && error == 0)
		return 0;
	if (flags & SYSCALLS_ERRNOS) {
		u32 index = error / 64;
		const u64 *bits = bpf_map_lookup_elem(&errnos, &index);

		if (!bits || !(*bits >> (error % 64) & 1))
			return 0;
	}
	return !(flags & SYSCALLS_SLOW) || duration >= settings->min_latency_ns;
}

/* Whether a call that has returned is sent; what is not is counted. Economy raises the least duration
 * of an event, and leaves those that were asked for because they fail. */
INLINE bool event_wanted(const struct syscall_control *settings, u32 flags, u32 error, u64 duration)
{
	const struct economy *how;

	if (flags & (SYSCALLS_EVENTS_FAILED | SYSCALLS_EVENTS_SLOW)) {
		if ((flags & SYSCALLS_EVENTS_FAILED) && error)
			return 1;
		if (!(flags & SYSCALLS_EVENTS_SLOW) || duration < settings->event_latency_ns) {
			COUNT(events_unwanted);
			return 0;
		}
	}
	how = thrift();
	if (how && duration < how->min_event_ns) {
		COUNT(events_spared);
		return 0;
	}
	return 1;
}

INLINE int end(void *context, struct thread_call *thread, s64 result, u64 now)
{
	struct syscall_control *settings;
	struct matrix_key key = {};
	struct call_totals *total;
	u32 zero = 0, slot, flags, bucket, coarse, error = 0, weight = thread->weight;
	u64 duration, entered = 0;
	bool complete = 1;

	duration = now - thread->entered;
	settings = bpf_map_lookup_elem(&control, &zero);
	slot = slot_of(thread->call);
	total = bpf_map_lookup_elem(&totals, &slot);
	if (!settings || !total)
		return 0; /* arrays: cannot happen */
	/* Its return may have been one that nobody saw. */
	if (UNLIKELY(thread->entered < READ_ONCE(settings->since))) {
		thread->entered = 0;
		return 0;
	}
	flags = READ_ONCE(settings->flags);
	if (UNLIKELY(flags & SYSCALLS_EVENTS))
		entered = thread->entered;
	thread->entered = 0;
	if (UNLIKELY(result < 0 && result >= -MAX_ERRNO)) {
		const struct call_rule *rule = bpf_map_lookup_elem(&rules, &slot);

		if (rule && !(rule->flags & CALL_HAS_NO_ERRORS))
			error = (u32)-result;
	}
	if (UNLIKELY(!result_wanted(settings, flags, error, duration))) {
		total->rejected += weight;
		if (UNLIKELY(weight > 1))
			COUNT_MORE(rejected_added, weight - 1);
		return 0;
	}
	total->returns += weight;
	if (UNLIKELY(weight > 1))
		COUNT_MORE(returns_added, weight - 1);
	if (error)
		total->errors += weight;
	total->total_ns += duration * weight;
	if (duration > total->max_ns)
		total->max_ns = duration;
	bucket = bucket_of(duration, &coarse);
	if (bucket < LATENCY_BUCKETS)
		total->buckets[bucket] += weight;

	if (error || (flags & (SYSCALLS_BY_PROCESS | SYSCALLS_BY_CGROUP))) {
		key.id = owner(flags, thread->process);
		key.call = thread->call;
		key.error = error;
		complete = add_to_matrix(&key, duration * weight, weight, flags);
		if (UNLIKELY(flags & SYSCALLS_HISTOGRAMS))
			complete = add_to_histogram(key.id, key.call, coarse, weight) != 0 && complete;
	}
	if (UNLIKELY(flags & SYSCALLS_EVENTS) && event_wanted(settings, flags, error, duration))
		complete = send_event(context, thread, result, entered, duration) != 0 && complete;
	if (UNLIKELY(!complete))
		COUNT(lost);
	return 0;
}

/* A return without an enter: the call was in progress when recording began, or when a filter began
 * to want it; or a new thread returns from the clone() of another. */
static NOINLINE int count_unpaired(s64 number, u32 compat, s64 result)
{
	struct call_totals *total;
	const struct syscall_control *settings;
	const struct call_rule *rule;
	const struct economy *how = thrift();
	u32 zero = 0, slot = slot_of(call_of(number, compat));

	settings = bpf_map_lookup_elem(&control, &zero);
	rule = bpf_map_lookup_elem(&rules, &slot);
	if (!settings || !rule || !how || settings->paused)
		return 0;
	/* Most of them are of calls that were not picked. */
	if (READ_ONCE(how->sampling) > 1)
		return 0;
	if (settings->flags & SYSCALLS_ALLOW_LIST ? rule->verdict != RULE_ALLOW
						  : rule->verdict == RULE_DENY)
		return 0;
	if (!process_wanted(bpf_get_current_pid_tgid() >> 32))
		return 0;
	total = bpf_map_lookup_elem(&totals, &slot);
	if (!total)
		return 0; /* an array: cannot happen */
	total->unpaired++;
	if (result == 0)
		total->unpaired_zero++;
	return 0;
}

/* ---- Programs: task storage. ---- */

/* Arguments of a raw tracepoint: one 64-bit word each. */
struct raw_arguments {
	u64 args[2];
};

INLINE int enter_with_storage(struct raw_arguments *context)
{
	struct task_struct___calls *task = bpf_get_current_task_btf();
	struct admission admission;

	if (!admit(&admission, (s64)context->args[1], is_compat(task, 1)))
		return 0;
	return begin(context, &admission, storage_of_task(&threads, task, NULL, STORAGE_CREATE), task,
		     (const void *)context->args[0], NULL);
}

/* The clock is read only for calls that are recorded: it costs more than all the rest. The look-up
 * before it, some 30 ns, is in every duration. */
INLINE int exit_with_storage(struct raw_arguments *context, bool typed)
{
	struct task_struct___calls *task = bpf_get_current_task_btf();
	struct thread_call *thread = storage_of_task(&threads, task, NULL, 0);
	s64 number = 0;

	if (LIKELY(thread && thread->entered))
		return end(context, thread, (s64)context->args[1], bpf_ktime_get_ns());
	if (typed ? typed_number_of((const void *)context->args[0], &number)
		  : number_of((const void *)context->args[0], &number))
		count_unpaired(number, is_compat(task, 1), (s64)context->args[1]);
	return 0;
}

SEC("tp_btf/sys_enter")
int enter_typed(struct raw_arguments *context)
{
	return enter_with_storage(context);
}

SEC("tp_btf/sys_exit")
int exit_typed(struct raw_arguments *context)
{
	return exit_with_storage(context, 1);
}

SEC("raw_tp/sys_enter")
int enter_raw(struct raw_arguments *context)
{
	return enter_with_storage(context);
}

SEC("raw_tp/sys_exit")
int exit_raw(struct raw_arguments *context)
{
	return exit_with_storage(context, 0);
}

/* ---- Programs: a hash by task address. A thread that was killed inside a call leaves its entry
 * behind, until its memory is another thread, whose first enter replaces it. ---- */

INLINE int enter_with_table(void *context, s64 number, const void *registers, const u64 *arguments)
{
	static const struct thread_call empty;
	const struct task_struct___calls *task = (const void *)bpf_get_current_task();
	struct admission admission;
	struct thread_call *thread;
	u64 key = (u64)task;

	if (!admit(&admission, number, is_compat(task, 0))) {
		if (admission.weight == 0)
			bpf_map_delete_elem(&thread_table, &key);
		return 0;
	}
	bpf_map_update_elem(&thread_table, &key, &empty, UPDATE_ANY);
	thread = bpf_map_lookup_elem(&thread_table, &key);
	begin(context, &admission, thread, task, registers, arguments);
	if (admission.rule->flags & CALL_NEVER_RETURNS)
		bpf_map_delete_elem(&thread_table, &key);
	return 0;
}

INLINE int exit_with_table(void *context, s64 number, s64 result)
{
	const struct task_struct___calls *task = (const void *)bpf_get_current_task();
	u64 key = (u64)task, now = bpf_ktime_get_ns();
	struct thread_call *thread = bpf_map_lookup_elem(&thread_table, &key);
	bool compat = is_compat(task, 0);

	if (thread && thread->entered && thread->call == call_of(number, compat)) {
		end(context, thread, result, now);
		bpf_map_delete_elem(&thread_table, &key);
		return 0;
	}
	return count_unpaired(number, compat, result);
}

SEC("raw_tp/sys_enter")
int enter_table(struct raw_arguments *context)
{
	return enter_with_table(context, (s64)context->args[1], (const void *)context->args[0], NULL);
}

SEC("raw_tp/sys_exit")
int exit_table(struct raw_arguments *context)
{
	s64 number = 0;

	number_of((const void *)context->args[0], &number);
	return exit_with_table(context, number, (s64)context->args[1]);
}

/* /sys/kernel/tracing/events/raw_syscalls/{sys_enter,sys_exit}/format */
struct enter_record {
	u64 common;
	s64 number;
	u64 arguments[6];
};

struct exit_record {
	u64 common;
	s64 number;
	s64 result;
};

SEC("tracepoint/raw_syscalls/sys_enter")
int enter_perf(struct enter_record *context)
{
	u64 arguments[6];

	__builtin_memcpy(arguments, context->arguments, sizeof(arguments));
	return enter_with_table(context, context->number, NULL, arguments);
}

SEC("tracepoint/raw_syscalls/sys_exit")
int exit_perf(struct exit_record *context)
{
	return exit_with_table(context, context->number, context->result);
}

/* ---- Who is inside a call now. ---- */

INLINE bool task_wanted(const struct task_struct___calls *task, const struct waiting_call *call)
{
	const struct process_filter *filter;
	const struct task_struct___calls *leader;
	const struct css_set___calls *set;
	const struct cgroup___calls *cgroup;
	const struct kernfs_node___calls *node;
	struct filter_command command;
	u32 zero = 0;
	u64 id;

	filter = bpf_map_lookup_elem(&filter_control, &zero);
	if (!filter || call->tgid == filter->excluded_tgid)
		return 0;
	if ((filter->flags & FILTER_PIDS) && !bpf_map_lookup_elem(&pid_filter, &call->tgid))
		return 0;
	if (filter->flags & FILTER_COMMANDS) {
		__builtin_memcpy(command.name, call->command, sizeof(command.name));
		if (!bpf_map_lookup_elem(&command_filter, &command)) {
			if (core_read(&leader, task, group_leader) != 0 ||
			    core_read(&command.name, leader, comm) != 0)
				return 0;
			command.name[COMMAND_LENGTH - 1] = 0;
			if (!bpf_map_lookup_elem(&command_filter, &command))
				return 0;
		}
	}
	if (!(filter->flags & FILTER_CGROUPS))
		return 1;
	if (core_read(&set, task, cgroups) != 0 || core_read(&cgroup, set, dfl_cgrp) != 0)
		return 0;
#pragma clang loop unroll(disable)
	for (int level = 0; level < CGROUP_LEVELS; level++) {
		if (!cgroup || core_read(&node, cgroup, kn) != 0 || core_read(&id, node, id) != 0)
			return 0;
		if (bpf_map_lookup_elem(&cgroup_filter, &id))
			return 1;
		if (core_read(&cgroup, cgroup, self.parent) != 0)
			return 0;
	}
	return 0;
}

/* Writes a struct waiting_call for every thread that sleeps in a call, or that has not returned from
 * one that was recorded. Needs Linux 5.15. */
SEC("iter/task")
int list_calls(struct bpf_iter__task___calls *context)
{
	struct task_struct___calls *task = context->task;
	struct waiting_call call = {};
	const struct call_rule *rule;
	const struct syscall_control *settings;
	const struct thread_call *thread;
	unsigned int flags = 0, state = 0;
	u32 zero = 0, slot;
	s64 number = 0;

	if (!task)
		return 0;
	core_read(&flags, task, flags);
	if (flags & PF_KTHREAD)
		return 0;
	core_read(&call.tgid, task, tgid);
	core_read(&call.tid, task, pid);
	core_read(&call.command, task, comm);
	thread = storage_of_task(&threads, task, NULL, 0);
	settings = bpf_map_lookup_elem(&control, &zero);
	if (thread && thread->entered && settings && thread->entered >= settings->since) {
		call.entered = thread->entered;
		call.call = thread->call;
	} else {
		core_read(&state, task, __state);
		if (!(state & TASK_SLEEPS) || !number_of(bpf_task_pt_regs(task), &number))
			return 0;
		call.call = call_of(number, is_compat(task, 0));
	}
	slot = slot_of(call.call);
	rule = bpf_map_lookup_elem(&rules, &slot);
	if (!rule || !settings)
		return 0;
	if (settings->flags & SYSCALLS_ALLOW_LIST ? rule->verdict != RULE_ALLOW
						  : rule->verdict == RULE_DENY)
		return 0;
	if (task_wanted(task, &call))
		write_sequence(context->meta->seq, &call, sizeof(call));
	return 0;
}

/* ---- Following processes. ---- */

SEC("raw_tp/sched_process_fork")
int follow_fork(struct raw_arguments *context)
{
	if (!filter_follow_fork((const void *)context->args[0], (const void *)context->args[1]))
		COUNT(follow_lost);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int follow_exit(struct raw_arguments *context)
{
	filter_forget_exit((const void *)context->args[0]);
	return 0;
}

LICENSE("GPL");
