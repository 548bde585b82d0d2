/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWIFT_EBPF_SPAN_LINK_H
#define SWIFT_EBPF_SPAN_LINK_H

#include "helpers.h"

/* The bytes of the ids as W3C Trace Context has them, whatever numbers that makes here. */
struct span_link {
	u64 trace_id[2];
	u64 span_id;
};

#endif
