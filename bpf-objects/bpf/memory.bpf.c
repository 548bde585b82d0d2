/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose memory grows and where: allocations and frees by user probes (memory_allocator.h) or by the
 * process's own static ones (memory_probes.h); page faults, mappings, resident pages and out-of-memory
 * kills by tracepoints (memory_growth.h). The contract with user space, and how nothing is lost without
 * being counted, is in memory_events.h.
 *
 * Runs from Linux 5.8 (bpf_ringbuf, start_boottime) with no fetching atomics, which came with 5.12.
 * Probe programs may be preempted: everything shared is changed atomically.
 */
#include "memory_allocator_probes.h"
#include "memory_growth.h"
#include "memory_mapping_calls.h"
#include "memory_processes.h"
#include "memory_probes.h"

LICENSE("GPL");
