/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks that have been allocated and not freed, and which of them are kept: all, or a random one in
 * so many bytes.
 */
#ifndef SWIFT_EBPF_MEMORY_BLOCKS_H
#define SWIFT_EBPF_MEMORY_BLOCKS_H

#include "memory_sampling.h"
#include "memory_state.h"

/* Takes a block out of `live`; false when it is not there. */
INLINE bool take_block(const struct memory_address *address, struct memory_block *to)
{
	struct memory_block *block = bpf_map_lookup_elem(&live, address);

	if (!block)
		return 0;
	*to = *block;
	/* Of two threads that free the same block only one succeeds. */
	return bpf_map_delete_elem(&live, address) == 0;
}

/* For how many a block stands in the counters; where bytes are picked user space weighs them. */
INLINE u64 block_weight(const struct memory_control *control, u32 factor)
{
	return control->sample_bytes == 0 && factor > 1 ? factor : 1;
}

/* The same, also where the process says how many bytes it stands for. */
INLINE u64 block_count(const struct memory_control *control, const struct memory_block *block)
{
	u64 count;

	if (LIKELY(block->weighted == 0))
		return block_weight(control, block->factor);
	if (block->size == 0)
		return 1;
	/* The nearest whole number of blocks. */
	count = block->weighted / block->size;
	if (block->weighted % block->size >= block->size - block->size / 2)
		count++;
	return count ? count : 1;
}

INLINE u64 block_bytes(const struct memory_control *control, const struct memory_block *block)
{
	return block->weighted ? block->weighted :
				 block->size * block_weight(control, block->factor);
}

/* Puts a block into `live`; one that was there has been freed where nobody looked. */
static NOINLINE int put_block(const struct memory_address *address,
			      const struct memory_block *block,
			      const struct memory_control *control, struct memory_counters *count)
{
	u64 before_count = 1, before_bytes = 0;
	struct memory_block *before;
	long status;

	status = bpf_map_update_elem(&live, address, block, UPDATE_NOEXIST);
	if (status == -EEXIST) {
		before = bpf_map_lookup_elem(&live, address);
		if (before) {
			before_count = block_count(control, before);
			before_bytes = block_bytes(control, before);
		}
		status = bpf_map_update_elem(&live, address, block, UPDATE_ANY);
		if (status == 0) {
			ADD(&count->replaced, before_count);
			ADD(&count->replaced_bytes, before_bytes);
			return 0;
		}
	}
	if (status != 0) {
		ADD(&count->untracked, block_count(control, block));
		ADD(&count->untracked_bytes, block_bytes(control, block));
	}
	return 0;
}

/* next_sample() takes no larger mean. */
#define LARGEST_MEAN (1ULL << 34)

/* What the mean is multiplied by to save. */
INLINE u32 mean_factor(u64 mean)
{
	u32 zero = 0;
	const struct economy *how = bpf_map_lookup_elem(&economy, &zero);
	u64 factor = how ? READ_ONCE(how->sampling) : 1;

	if (LIKELY(factor <= 1))
		return 1;
	return mean * factor > LARGEST_MEAN ? LARGEST_MEAN / mean : factor;
}

/* Decides about an allocation; thread->factor is then what memory_block.factor will be. */
INLINE bool is_picked(struct memory_thread *thread, u64 size, u64 mean)
{
	u32 factor;

	if (mean == 0) {
		factor = sampling_weight();
		thread->factor = factor > 1 ? factor : 0;
		return factor != 0;
	}
	factor = mean_factor(mean);
	thread->factor = factor > 1 ? factor : 0;
	mean *= factor;
	/* The distance has no memory: another mean only needs another one. */
	if (thread->left == 0 || thread->left_factor != factor) {
		thread->left = next_sample(mean);
		thread->left_factor = factor;
	}
	if (size < (u64)thread->left) {
		thread->left -= size;
		return 0;
	}
	thread->left = next_sample(mean);
	return 1;
}

INLINE void count_free(const struct memory_control *control, const struct memory_block *block,
		       struct memory_counters *count)
{
	u64 weight = block_count(control, block);

	ADD(&count->frees, weight);
	ADD(&count->freed_bytes, block_bytes(control, block));
	if (UNLIKELY(weight > 1))
		ADD(&count->frees_added, weight - 1);
}

INLINE void count_release(const struct memory_control *control, const struct memory_block *block,
			  struct memory_counters *count)
{
	u64 weight = block_count(control, block);

	ADD(&count->released, weight);
	ADD(&count->released_bytes, block_bytes(control, block));
	if (UNLIKELY(weight > 1))
		ADD(&count->released_added, weight - 1);
}

/* A block was freed that is not in `live`. While sampling, most blocks were never picked. */
INLINE void count_unknown_free(const struct memory_control *control, struct memory_counters *count)
{
	if (control->sample_bytes != 0 || (READ_ONCE(control->flags) & MEMORY_PICKS))
		ADD_ONE(&count->sampled_out);
	else
		ADD_ONE(&count->unknown_frees);
}

#endif
