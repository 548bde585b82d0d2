/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types of each kind that BTF got after 5.8, which older kernels refuse: 64-bit and signed
 * enumerations (6.0), type tags (5.17), declaration tags (5.16), floating point (5.13). A test run
 * of `use` puts the sum of `large` and `below_zero` into `sum`.
 */
#include "helpers.h"

enum large { LARGE = 0x123456789abULL };
enum below_zero { BELOW_ZERO = -5 };

struct DECL_TAG("tagged_struct") tagged {
	int __attribute__((btf_type_tag("tagged_pointer"))) *pointer;
	enum large large DECL_TAG("tagged_member");
	enum below_zero below_zero;
	double number;
};

struct tagged value;
s64 sum = 0;

SEC("raw_tp/sys_enter")
int use(void *context)
{
	value.large = LARGE;
	value.below_zero = BELOW_ZERO;
	sum = (s64)value.large + value.below_zero;
	return 0;
}

LICENSE("GPL");
