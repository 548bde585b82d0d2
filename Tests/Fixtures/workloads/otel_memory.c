/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops itself; continued, allocates blocks of 16, 32, … 16,000 bytes, picks each tenth, and tells of
 * those by the USDT probes otel_memory:alloc(block, size, weighted bytes) and otel_memory:free(block), if
 * their semaphores say so. The notes are laid out as <sys/sdt.h> lays them out.
 *
 * Pick k of 100 has 160 k bytes and stands for ten times as many, and 3 more where k is odd. The first 60
 * are told in first_site, the others in second_site. All blocks but the picks with k divisible by 4 are
 * freed. So, weighted:
 *
 *   allocated  1,000 blocks  8,080,150 bytes    (each pick counts as the nearest whole number: 10)
 *   freed        750 blocks  6,000,150 bytes
 *   in use       250 blocks  2,080,000 bytes
 *
 * Exits with 3 if a probe was not watched.
 */
#include <stdlib.h>

#include "stopped.h"

#define NOT_INLINED __attribute__((noinline))

#define PROBE(name, semaphore, arguments, ...) \
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
		".asciz \"otel_memory\"\n" \
		".asciz \"" name "\"\n" \
		".asciz \"" arguments "\"\n" \
		"994: .balign 4\n" \
		".popsection\n" : : __VA_ARGS__)

__attribute__((section(".stapsdt.base"), used)) const char stapsdt_base = 0;
__attribute__((section(".probes"), used)) volatile unsigned short alloc_watched = 0;
__attribute__((section(".probes"), used)) volatile unsigned short free_watched = 0;

struct pick {
	void *block;
	unsigned long size;
	unsigned long weighted;
};

NOT_INLINED static void tell_by_registers(const struct pick *pick)
{
	PROBE("alloc", "alloc_watched", "8@%%rdi 8@%%rsi 8@%%rdx", "D"(pick->block), "S"(pick->size),
	      "d"(pick->weighted));
}

NOT_INLINED static void tell_by_memory(const struct pick *pick)
{
	PROBE("alloc", "alloc_watched", "8@(%%rbx) 8@8(%%rbx) 8@16(%%rbx)", "b"(pick), "m"(*pick));
}

/* A function that calls no other may have no frame; by frame pointers its caller is then left out. */
NOT_INLINED static void first_step(const struct pick *pick)
{
	tell_by_registers(pick);
	__asm__ volatile("");
}

NOT_INLINED void first_site(const struct pick *pick)
{
	first_step(pick);
	__asm__ volatile("");
}

NOT_INLINED static void second_step(const struct pick *pick)
{
	tell_by_memory(pick);
	__asm__ volatile("");
}

NOT_INLINED void second_site(const struct pick *pick)
{
	second_step(pick);
	__asm__ volatile("");
}

NOT_INLINED void tell_free(void *block)
{
	PROBE("free", "free_watched", "8@%%rdi", "D"(block));
}

static void *blocks[1001];

int main(void)
{
	int is_watched;

	stop_until_continued();
	is_watched = alloc_watched != 0 && free_watched != 0;
	for (long i = 1; i <= 1000; i++) {
		struct pick pick = { malloc(16 * i), 16 * i, 160 * i + (i / 10 % 2 ? 3 : 0) };

		blocks[i] = pick.block;
		if (i % 10 != 0 || alloc_watched == 0)
			continue;
		if (i <= 600)
			first_site(&pick);
		else
			second_site(&pick);
	}
	for (long i = 1; i <= 1000; i++) {
		if (i % 40 == 0)
			continue;
		if (i % 10 == 0 && free_watched != 0)
			tell_free(blocks[i]);
		free(blocks[i]);
	}
	return is_watched ? 0 : 3;
}
