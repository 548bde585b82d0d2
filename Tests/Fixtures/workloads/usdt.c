/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops itself; continued, passes USDT probes whose notes are laid out as <sys/sdt.h> lays them out:
 *   swift_ebpf:tick   1,000 times, at two places: 600 at the first, then 400 at the second.
 *     Arguments for i = 0 … 999: i (register), -7 (number), -i (memory), 10 i (indexed memory),
 *     i modulo 256 (byte of a register), -i (16 bits of a register).
 *   swift_ebpf:gated  500 times, if its semaphore says so; without arguments.
 * Then it stops again. Exits with 1 if the semaphore was above 0 during the work, plus 2 if it still
 * is after the second stop.
 */
#include "stopped.h"

#define PROBE(provider, name, semaphore, arguments, ...) \
	__asm__ volatile( \
		"990: nop\n" \
		".pushsection .note.stapsdt,\"\",\"note\"\n" \
		".balign 4\n" \
		".4byte 992f-991f, 994f-993f, 3\n" \
		"991: .asciz \"stapsdt\"\n" \
		"992: .balign 4\n" \
		"993: .8byte 990b\n" \
		".8byte stapsdt_base\n" \
		".8byte " semaphore "\n" \
		".asciz \"" provider "\"\n" \
		".asciz \"" name "\"\n" \
		".asciz \"" arguments "\"\n" \
		"994: .balign 4\n" \
		".popsection\n" : : __VA_ARGS__)

__attribute__((section(".stapsdt.base"), used)) const char stapsdt_base = 0;
__attribute__((section(".probes"), used)) volatile unsigned short gate = 0;

struct pair {
	int unused;
	int negative;
} pair;
long tens[1001];

__attribute__((noinline)) static void first_place(long i)
{
	register long *table __asm__("r12") = tens;

	PROBE("swift_ebpf", "tick", "0",
	      "8@%%rdi -4@$-7 -4@4(%%rbx) 8@8(%%r12,%%rcx,8) 1@%%al -2@%%dx",
	      "D"(i), "b"(&pair), "r"(table), "c"(i), "a"(i), "d"(-i), "m"(pair));
}

__attribute__((noinline)) static void second_place(long i)
{
	register long *table __asm__("r12") = tens;

	PROBE("swift_ebpf", "tick", "0",
	      "8@%%rsi -4@$-7 -4@4(%%rbx) 8@8(%%r12,%%rcx,8) 1@%%dl -2@%%ax",
	      "S"(i), "b"(&pair), "r"(table), "c"(i), "d"(i), "a"(-i), "m"(pair));
}

int main(void)
{
	int seen = 0;

	/* The probes read one element further on: `8(%r12,%rcx,8)`. */
	for (long i = 0; i < 1000; i++)
		tens[i + 1] = 10 * i;
	stop_until_continued();
	for (long i = 0; i < 1000; i++) {
		pair.negative = -i;
		if (i < 600)
			first_place(i);
		else
			second_place(i);
	}
	for (int i = 0; i < 500; i++) {
		if (gate == 0)
			continue;
		seen = 1;
		PROBE("swift_ebpf", "gated", "gate", "", "r"(0));
	}
	stop_until_continued();
	_exit(seen | (gate ? 2 : 0));
}
