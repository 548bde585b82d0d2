/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CO-RE records 6 local_type_id, 7 target_type_id, 8 type_exists, 9 type_size on every kind of
 * type. What is missing answers 0. A test run of `ask` fills `answers`.
 */
#include "helpers.h"

struct task_struct {
	int pid;
} CORE;

union nf_inet_addr {
	u32 all[4];
} CORE;

enum pid_type {
	PIDTYPE_PID,
};

typedef int pid_t;
typedef struct {
	int counter;
} atomic_t;
typedef int (*initcall_t)(void);

struct swift_ebpf_missing {
	int nothing;
};

u64 answers[20];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	answers[0] = core_type_exists(struct task_struct);
	answers[1] = core_type_exists(union nf_inet_addr);
	answers[2] = core_type_exists(enum pid_type);
	answers[3] = core_type_exists(pid_t);
	answers[4] = core_type_exists(atomic_t);
	answers[5] = core_type_exists(struct swift_ebpf_missing);
	answers[6] = core_type_size(struct task_struct);
	answers[7] = core_type_size(union nf_inet_addr);
	answers[8] = core_type_size(enum pid_type);
	answers[9] = core_type_size(pid_t);
	answers[10] = core_type_size(struct swift_ebpf_missing);
	answers[11] = core_type_id_target(struct task_struct);
	answers[12] = core_type_id_target(struct swift_ebpf_missing);
	answers[13] = core_type_id_local(struct task_struct);
	answers[14] = core_type_id_local(struct swift_ebpf_missing);
	answers[15] = core_type_exists(initcall_t);
	answers[16] = core_type_size(atomic_t);
	return 0;
}

LICENSE("GPL");
