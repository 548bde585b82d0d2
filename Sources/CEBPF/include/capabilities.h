// The capabilities of this process (capabilities(7)), as masks with bit N for capability N.
#ifndef CEBPF_CAPABILITIES_H
#define CEBPF_CAPABILITIES_H

#include <stdint.h>

#pragma clang assume_nonnull begin

// The effective set of the calling thread; 0 or a negative errno.
int cebpf_effective_capabilities(uint64_t *mask);
// Makes `mask` all that the calling thread may use and pass on: effective and permitted; nothing is
// inheritable or ambient. What it does not have cannot be gained. 0 or a negative errno.
int cebpf_limit_thread_capabilities(uint64_t mask);
// The same for every thread of the process, and no program that it executes gains anything by its
// file. Each thread runs the calls in a signal handler, as setuid(2) of the C library does. Threads that are started meanwhile are found, too. 0 or a negative errno;
// -ETIMEDOUT when a thread did not answer within a second.
int cebpf_limit_capabilities(uint64_t mask);
// Becomes another user and group, without others, and keeps the capabilities it is permitted. Of a
// process with one thread. 0 or a negative errno.
int cebpf_become_user(uint32_t user, uint32_t group);

#pragma clang assume_nonnull end

#endif
