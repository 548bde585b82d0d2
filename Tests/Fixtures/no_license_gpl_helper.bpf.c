/* SPDX-License-Identifier: Apache-2.0 */
/* No license section, and a helper for GPL programs only. Must not load: the verifier says
 * "cannot call GPL-restricted function from non-GPL compatible program". */
#include "helpers.h"

u64 value;

SEC("raw_tp/sys_enter")
int read(void *context)
{
	bpf_probe_read_kernel(&value, sizeof(value), context);
	return 0;
}
