/* SPDX-License-Identifier: Apache-2.0 */
/* usage: load OBJECT: opens and loads an object that is in memory, with libbpf. */
#include <bpf/libbpf.h>

#include "measure.h"

int main(int count, char **arguments)
{
	static char bytes[4 << 20];
	struct bpf_object *object;
	uint64_t start, end;
	size_t size;
	FILE *file;

	if (count != 2)
		return 64;
	libbpf_set_print(NULL);
	file = fopen(arguments[1], "rb");
	if (!file)
		fail(arguments[1]);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	start = cpu_now();
	object = bpf_object__open_mem(bytes, size, NULL);
	if (!object)
		fail("bpf_object__open_mem");
	if (bpf_object__load(object))
		fail("bpf_object__load");
	end = cpu_now();
	bpf_object__close(object);
	print_figure("load_ns", end - start);
	return 0;
}
