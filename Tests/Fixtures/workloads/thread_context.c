/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: thread-context[-VARIANT] [seconds]
 *
 * Publishes a process and a thread context as OpenTelemetry's OTEPs 4719 and 4947 say it, without any
 * library; stops itself; then makes ten system calls that fail and burns so many seconds of CPU time in
 * in_span, and as many of both in outside.
 *
 * Compiled with LIBRARY it is the thread context's library alone: the variable, and the function that
 * sets it. Compiled with LIBRARY_PATH the program loads that library with dlopen when it runs.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct record {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t valid;
	uint8_t flags;
	uint16_t attributes_size;
};

#if defined(LIBRARY) || !defined(IN_LIBRARY)
__attribute__((visibility("default"))) __thread struct record *otel_thread_ctx_v1;

__attribute__((visibility("default"))) void set_record(struct record *record)
{
	otel_thread_ctx_v1 = record;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}
#else
void set_record(struct record *record);
#endif

#ifndef LIBRARY
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stopped.h"

#define NOT_INLINED __attribute__((noinline))

struct header {
	char signature[8];
	uint32_t version;
	uint32_t payload_size;
	uint64_t published;
	uint64_t payload;
};

/* ProcessContext: resource { service.name = "c" }, attributes threadlocal.schema_version. */
static const uint8_t payload[] = "\x0a\x15\x0a\x13\x0a\x0cservice.name\x12\x03\x0a\x01"
				 "c"
				 "\x12\x2e\x0a\x1athreadlocal.schema_version\x12\x10\x0a\x0e"
				 "tlsdesc_v1_dev";

static void publish(void)
{
	int file = memfd_create("OTEL_CTX", MFD_CLOEXEC);
	struct header *header;

	if (file < 0 || ftruncate(file, sizeof(*header)) != 0)
		exit(1);
	header = mmap(NULL, sizeof(*header), PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	close(file);
	if (header == MAP_FAILED)
		exit(1);
	header->version = 2;
	header->payload_size = sizeof(payload) - 1;
	header->published = 1;
	header->payload = (uintptr_t)payload;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(header->signature, "OTEL_CTX", 8);
	prctl(0x53564d41, 0, header, sizeof(*header), "OTEL_CTX");
}

static void burn(double seconds)
{
	struct timespec used;

	do {
		for (int i = 0; i < 100000; i++)
			__asm__ volatile("" ::: "memory");
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	} while (used.tv_sec + used.tv_nsec / 1e9 < seconds);
}

/* Calls that name who makes them. */
static void ask(const char *path)
{
	for (int i = 0; i < 10; i++)
		if (syscall(SYS_openat, AT_FDCWD, path, O_RDONLY) >= 0)
			exit(1);
}

NOT_INLINED void in_span(double seconds)
{
	ask("/nowhere/in_span");
	burn(seconds);
	__asm__ volatile(""); /* no tail call: this frame stays on the stack */
}

NOT_INLINED void outside(double seconds)
{
	ask("/nowhere/outside");
	burn(seconds);
	__asm__ volatile("");
}

int main(int count, char **arguments)
{
	static struct record record = { .valid = 1, .flags = 1 };
	double seconds = count > 1 ? atof(arguments[1]) : 0;
	void (*set)(struct record *);

#ifdef LIBRARY_PATH
	void *library = dlopen(LIBRARY_PATH, RTLD_NOW);

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	set = (void (*)(struct record *))dlsym(library, "set_record");
#else
	set = set_record;
#endif
	memset(record.trace_id, 0x11, sizeof(record.trace_id));
	memset(record.span_id, 0x22, sizeof(record.span_id));
	publish();
	set(&record);
	stop_until_continued();
	in_span(seconds);
	set(NULL);
	outside(2 * seconds);
	return 0;
}
#endif
