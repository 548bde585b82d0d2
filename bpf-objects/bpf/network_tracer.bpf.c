/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows every TCP connection from its first state change to its last, and counts datagrams by
 * socket. The contract with user space is in network_events.h.
 *
 * Each hook has variants, best first; user space loads those that the kernel accepts. Tested on
 * Linux 6.1, 6.12 and 6.18.
 *
 * What no program can see: a tracepoint's program does not run again on a CPU where it is running
 * already. The kernel counts those misses (recursion_misses); user space reports them as lost.
 */
#include "network_calls.h"
#include "network_connection.h"
#include "network_datagrams.h"
#include "network_packets.h"

LICENSE("GPL");
