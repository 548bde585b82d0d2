/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracers' compiled BPF objects, embedded, so that a program needs no file at run time.
 * Their sources are in bpf-objects/bpf, built by scripts/build-bpf.sh.
 */
#ifndef CBPFOBJECTS_H
#define CBPFOBJECTS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The bytes of an ELF object, 8-byte aligned, there for the life of the program. */
struct cbpf_object {
	const unsigned char *_Nonnull bytes;
	size_t size;
};

/* bpf/cpu_profiler.bpf.c */
struct cbpf_object cbpf_cpu_profiler(void);

/* bpf/wall_profiler.bpf.c */
struct cbpf_object cbpf_wall_profiler(void);

/* bpf/syscall_tracer.bpf.c */
struct cbpf_object cbpf_syscall_tracer(void);

/* bpf/network_tracer.bpf.c */
struct cbpf_object cbpf_network_tracer(void);

/* bpf/memory.bpf.c */
struct cbpf_object cbpf_memory(void);

/* bpf/memory_walking.bpf.c */
struct cbpf_object cbpf_memory_walking(void);

/* bpf/process_tracer.bpf.c */
struct cbpf_object cbpf_process_tracer(void);

/* bpf/process_following.bpf.c */
struct cbpf_object cbpf_process_following(void);

/* bpf/process_numbers.bpf.c */
struct cbpf_object cbpf_process_numbers(void);

/* Calls a function that stands for malloc and one that stands for free, so many times each; and the
 * addresses of the two. */
void cbpf_calibration_run(unsigned long pairs);
unsigned long cbpf_calibration_allocate_address(void);
unsigned long cbpf_calibration_free_address(void);

#ifdef __cplusplus
}
#endif

#endif
