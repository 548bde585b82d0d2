/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls between BPF functions: static and global ones, a chain, one shared by two programs, one
 * through a weak definition, one in another section. Test runs of `first` and `second` set
 * `answers` to 42 and 420.
 */
#include "helpers.h"

u64 answers[2];
u64 base = 1;

static NOINLINE u64 add_two(u64 number)
{
	return number + 2 * READ_ONCE(base);
}

static NOINLINE u64 times_two(u64 number)
{
	return add_two(number) + number;
}

/* Global: the verifier checks it once, on its own. */
NOINLINE u64 shared(u64 number)
{
	return times_two(number) * 2 * READ_ONCE(base);
}

WEAK NOINLINE u64 weak_answer(u64 number)
{
	return number * READ_ONCE(base);
}

/* Hidden: a loader makes it static in BTF, so that the verifier checks it where it is called. */
HIDDEN NOINLINE u64 hidden_answer(u64 number)
{
	return number + 2 * READ_ONCE(base);
}

SEC("raw_tp/sys_enter")
int first(void *context)
{
	/* (9 + 2 + 9) * 2 = 40 */
	answers[0] = hidden_answer(weak_answer(shared(9)));
	return 0;
}

SEC("raw_tp/sys_exit")
int second(void *context)
{
	/* (104 + 2 + 104) * 2 = 420 */
	answers[1] = shared(104);
	return 0;
}

LICENSE("GPL");
