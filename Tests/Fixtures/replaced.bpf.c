/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with functions that others replace or trace (`replacement.bpf.c`). A test run of `run`
 * returns what `answer(41)` does: 42, as long as nothing replaces it. `untouched` has functions that
 * `run` has not: it returns 5, and 102 when `own_other` replaces one of them. `inner` is static, which
 * cannot be replaced. (They are socket filters because what replaces functions of raw_tp programs has to
 * return 0.)
 */
#include "helpers.h"

/* Keeps the compiler from knowing what the call will return. */
#define OPAQUE(x) asm volatile("" : "+r"(x))

NOINLINE int answer(int question)
{
	OPAQUE(question);
	return question + 1;
}

NOINLINE int other(u64 number, int question)
{
	OPAQUE(question);
	OPAQUE(number);
	return number + question;
}

static NOINLINE int inner(int question)
{
	OPAQUE(question);
	return question * 2;
}

SEC("socket")
int run(void *context)
{
	int question = 41;

	OPAQUE(question);
	return answer(question) + inner(0);
}

SEC("socket")
int untouched(void *context)
{
	int question = 1;

	OPAQUE(question);
	return other(2, question) + answer(question);
}

SEC("?freplace/other")
int own_other(u64 number, int question)
{
	return 100;
}

LICENSE("GPL");
