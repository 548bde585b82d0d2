/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CO-RE record 12 type_matches: a type is there *and* has every member we name, with a matching
 * type. A test run of `ask` fills `answers`: 1 1 1 0 0 0 1 0.
 */
#include "helpers.h"

struct list_head {
	struct list_head *next, *prev;
};

/* A subset, in another order. */
struct list_head___reversed {
	struct list_head *prev, *next;
};

/* Behind a pointer only the name counts. */
struct dentry;
struct path {
	struct dentry *dentry;
};

/* No such member. */
struct list_head___extra {
	struct list_head *next, *swift_ebpf_missing;
};

/* A member of another kind. */
struct list_head___integer {
	int next;
};

struct swift_ebpf_missing {
	int nothing;
};

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
};

enum pid_type___extra {
	PIDTYPE_PID___extra,
	PIDTYPE_SWIFT_EBPF_MISSING,
};

u64 answers[8];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	answers[0] = core_type_matches(struct list_head);
	answers[1] = core_type_matches(struct list_head___reversed);
	answers[2] = core_type_matches(struct path);
	answers[3] = core_type_matches(struct list_head___extra);
	answers[4] = core_type_matches(struct list_head___integer);
	answers[5] = core_type_matches(struct swift_ebpf_missing);
	answers[6] = core_type_matches(enum pid_type);
	answers[7] = core_type_matches(enum pid_type___extra);
	return 0;
}

LICENSE("GPL");
