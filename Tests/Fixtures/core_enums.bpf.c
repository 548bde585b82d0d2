/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CO-RE records 10 enumval_exists and 11 enumval_value: by name, whatever the numbers here. A test
 * run of `ask` fills `answers`.
 */
#include "helpers.h"

/* All numbers are wrong on purpose. */
enum bpf_prog_type {
	BPF_PROG_TYPE_KPROBE = 1000,
	BPF_PROG_TYPE_PERF_EVENT = 1001,
	BPF_PROG_TYPE_SWIFT_EBPF_MISSING = 1002,
};

enum pid_type___flavour {
	PIDTYPE_TGID___flavour = 77,
};

/* 64 bits wide here, whatever the kernel's. */
enum bpf_map_type {
	BPF_MAP_TYPE_RINGBUF = 0x100000000ULL,
};

enum swift_ebpf_missing_enum {
	SWIFT_EBPF_MISSING_VALUE = 5,
};

u64 answers[9];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	answers[0] = core_enum_value(enum bpf_prog_type, BPF_PROG_TYPE_KPROBE);
	answers[1] = core_enum_value(enum bpf_prog_type, BPF_PROG_TYPE_PERF_EVENT);
	answers[2] = core_enum_exists(enum bpf_prog_type, BPF_PROG_TYPE_PERF_EVENT);
	answers[3] = core_enum_exists(enum bpf_prog_type, BPF_PROG_TYPE_SWIFT_EBPF_MISSING);
	answers[4] = core_enum_value(enum pid_type___flavour, PIDTYPE_TGID___flavour);
	answers[5] = core_enum_value(enum bpf_map_type, BPF_MAP_TYPE_RINGBUF);
	answers[6] = core_enum_exists(enum swift_ebpf_missing_enum, SWIFT_EBPF_MISSING_VALUE);
	if (core_enum_exists(enum bpf_prog_type, BPF_PROG_TYPE_SWIFT_EBPF_MISSING))
		answers[7] = core_enum_value(enum bpf_prog_type, BPF_PROG_TYPE_SWIFT_EBPF_MISSING);
	else
		answers[7] = 7;
	answers[8] = core_type_size(enum bpf_map_type);
	return 0;
}

LICENSE("GPL");
