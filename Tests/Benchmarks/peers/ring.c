/* SPDX-License-Identifier: Apache-2.0 */
/* usage: ring OBJECT ROUNDS: fills a ring buffer by BPF_PROG_TEST_RUN and reads it, in turn. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "measure.h"

struct sums {
	uint64_t records;
	uint64_t numbers;
};

static int on_record(void *context, void *data, size_t size)
{
	struct sums *sums = context;

	if (size < sizeof(uint64_t))
		return -1;
	sums->records++;
	sums->numbers += *(uint64_t *)data;
	return 0;
}

int main(int count, char **arguments)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	struct sums sums = { 0 };
	struct bpf_object *object;
	struct ring_buffer *ring;
	uint64_t consuming = 0, total, begin;
	int program, rounds;

	if (count != 3)
		return 64;
	rounds = atoi(arguments[2]);
	libbpf_set_print(NULL);
	object = bpf_object__open_file(arguments[1], NULL);
	if (!object || bpf_object__load(object))
		fail(arguments[1]);
	program = bpf_program__fd(bpf_object__find_program_by_name(object, "send_batch"));
	ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "events"), on_record, &sums,
				NULL);
	if (!ring)
		fail("ring_buffer__new");
	begin = cpu_now();
	for (int round = 0; round < rounds; round++) {
		uint64_t start;

		if (bpf_prog_test_run_opts(program, &run))
			fail("BPF_PROG_TEST_RUN");
		start = cpu_now();
		if (ring_buffer__consume(ring) < 0)
			fail("ring_buffer__consume");
		consuming += cpu_now() - start;
	}
	total = cpu_now() - begin;
	ring_buffer__free(ring);
	bpf_object__close(object);
	print_figure("records", sums.records);
	print_figure("numbers", sums.numbers);
	print_figure("picoseconds_per_record", consuming * 1000 / sums.records);
	print_figure("records_per_second", sums.records * 1000000000 / total);
	return 0;
}
