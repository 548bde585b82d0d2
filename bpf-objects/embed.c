/* SPDX-License-Identifier: Apache-2.0 */
#include "CBPFObjects.h"

static const unsigned char cpu_profiler[] __attribute__((aligned(8))) = {
#embed "build/cpu_profiler.bpf.o"
};

struct cbpf_object cbpf_cpu_profiler(void)
{
	return (struct cbpf_object){ cpu_profiler, sizeof(cpu_profiler) };
}

static const unsigned char memory[] __attribute__((aligned(8))) = {
#embed "build/memory.bpf.o"
};

struct cbpf_object cbpf_memory(void)
{
	return (struct cbpf_object){ memory, sizeof(memory) };
}

static const unsigned char memory_walking[] __attribute__((aligned(8))) = {
#embed "build/memory_walking.bpf.o"
};

struct cbpf_object cbpf_memory_walking(void)
{
	return (struct cbpf_object){ memory_walking, sizeof(memory_walking) };
}

static const unsigned char syscall_tracer[] __attribute__((aligned(8))) = {
#embed "build/syscall_tracer.bpf.o"
};

struct cbpf_object cbpf_syscall_tracer(void)
{
	return (struct cbpf_object){ syscall_tracer, sizeof(syscall_tracer) };
}

static const unsigned char network_tracer[] __attribute__((aligned(8))) = {
#embed "build/network_tracer.bpf.o"
};

struct cbpf_object cbpf_network_tracer(void)
{
	return (struct cbpf_object){ network_tracer, sizeof(network_tracer) };
}

static const unsigned char process_numbers[] __attribute__((aligned(8))) = {
#embed "build/process_numbers.bpf.o"
};

struct cbpf_object cbpf_process_numbers(void)
{
	return (struct cbpf_object){ process_numbers, sizeof(process_numbers) };
}

static const unsigned char wall_profiler[] __attribute__((aligned(8))) = {
#embed "build/wall_profiler.bpf.o"
};

struct cbpf_object cbpf_wall_profiler(void)
{
	return (struct cbpf_object){ wall_profiler, sizeof(wall_profiler) };
}

static const unsigned char process_tracer[] __attribute__((aligned(8))) = {
#embed "build/process_tracer.bpf.o"
};

struct cbpf_object cbpf_process_tracer(void)
{
	return (struct cbpf_object){ process_tracer, sizeof(process_tracer) };
}

static const unsigned char process_following[] __attribute__((aligned(8))) = {
#embed "build/process_following.bpf.o"
};

struct cbpf_object cbpf_process_following(void)
{
	return (struct cbpf_object){ process_following, sizeof(process_following) };
}
