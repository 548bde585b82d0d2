/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that take the place of functions of `replaced.bpf.c`, or watch them. They load only when
 * they are told which program in the kernel has the function. `new_answer` doubles; `wrong_answer` is
 * declared otherwise than what it replaces; `watch_answer` sums up questions and answers.
 */
#include "helpers.h"

u64 calls = 0;
u64 questions = 0;
u64 answers = 0;

SEC("freplace/answer")
int new_answer(int question)
{
	ADD_ONE(&calls);
	return question * 2;
}

SEC("?freplace/answer")
int wrong_answer(int question, int more)
{
	return question + more;
}

SEC("?fexit/answer")
int watch_answer(u64 *context)
{
	__atomic_fetch_add(&questions, (int)context[0], __ATOMIC_RELAXED);
	__atomic_fetch_add(&answers, (int)context[1], __ATOMIC_RELAXED);
	return 0;
}

LICENSE("GPL");
