/* SPDX-License-Identifier: Apache-2.0 */
/* usage: btf_lookup BTF NAMES: looks up each line "KIND NAME" of a file, a few rounds. */
#include <bpf/btf.h>

#include "measure.h"

#define MOST 4096
#define ROUNDS 3

static struct {
	char name[256];
	unsigned int kind;
} wanted[MOST];

int main(int count, char **arguments)
{
	size_t names = 0;
	uint64_t start, sum = 0;
	struct btf *btf;
	FILE *file;

	if (count != 3)
		return 64;
	file = fopen(arguments[2], "r");
	if (!file)
		fail(arguments[2]);
	while (names < MOST && fscanf(file, "%u %255s", &wanted[names].kind, wanted[names].name) == 2)
		names++;
	fclose(file);
	btf = btf__parse(arguments[1], NULL);
	if (!btf || names == 0)
		fail(arguments[1]);
	start = cpu_now();
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < names; i++) {
			int id = btf__find_by_name_kind(btf, wanted[i].name, wanted[i].kind);

			if (id < 0)
				fail(wanted[i].name);
			sum += (uint64_t)id;
		}
	print_figure("lookup_ns", (cpu_now() - start) / (ROUNDS * names));
	print_figure("id_sum", sum / ROUNDS);
	return 0;
}
