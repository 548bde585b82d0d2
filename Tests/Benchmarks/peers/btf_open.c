/* SPDX-License-Identifier: Apache-2.0 */
/* usage: btf_open BTF NAME: opens a BTF blob with libbpf and finds a first struct by name. */
#include <bpf/btf.h>

#include "measure.h"

int main(int count, char **arguments)
{
	long before, after;
	uint64_t start, end;
	struct btf *btf;
	int id;

	if (count != 3)
		return 64;
	before = private_dirty_kb();
	start = cpu_now();
	btf = btf__parse(arguments[1], NULL);
	if (!btf)
		fail(arguments[1]);
	id = btf__find_by_name_kind(btf, arguments[2], BTF_KIND_STRUCT);
	end = cpu_now();
	after = private_dirty_kb();
	if (id < 0)
		fail(arguments[2]);
	print_figure("id", (uint64_t)id);
	print_figure("types", btf__type_cnt(btf));
	print_figure("open_ns", end - start);
	print_figure("dirty_kb", (uint64_t)(after - before));
	return 0;
}
