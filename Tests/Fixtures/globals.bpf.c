/* SPDX-License-Identifier: Apache-2.0 */
/* Global variables in each kind of data section. Run `sum` (raw_tp test run): it writes
 * outputs[0...6], which are 1, 20, 300, 4000, 50000, 600000 and the sum of all. */
#include "helpers.h"

const volatile u32 read_only = 1;
const volatile char read_only_text[16] = "constant";
u32 initialized = 20;
u32 zeroed;
static volatile u32 local_to_file = 300;
const volatile u32 custom_read_only SEC(".rodata.custom") = 4000;
u64 custom_data SEC(".data.custom") = 50000;

struct pair {
	u8 small;
	u64 large;
};

struct pair pair = { .small = 7, .large = 600000 };

u64 outputs[7];

/* A string that is only read ends up in .rodata.str1.1. */
static const char *text(void)
{
	return "a string in its own section";
}

SEC("raw_tp/sys_enter")
int sum(void *context)
{
	char copy[8];

	outputs[0] = read_only;
	outputs[1] = initialized;
	outputs[2] = local_to_file;
	outputs[3] = custom_read_only;
	outputs[4] = custom_data;
	outputs[5] = pair.large;
	outputs[6] = outputs[0] + outputs[1] + outputs[2] + outputs[3] + outputs[4] + outputs[5];
	zeroed++;
	if (bpf_probe_read_kernel(copy, sizeof(copy), text()) == 0 && copy[0] != 'a')
		outputs[6] = 0;
	return 0;
}

LICENSE("GPL");
