// Mapped files that others may cut short while we read them.
#ifndef CEBPF_GUARDED_MAPPINGS_H
#define CEBPF_GUARDED_MAPPINGS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

struct cebpf_guarded_mapping;

// Watches a read-only mapping: where its file has no bytes any more, reading gives zeros instead of
// SIGBUS, and the mapping counts as damaged. The first call installs a SIGBUS handler, which hands
// what is not ours to the handler before it. Negative errno when there is no memory or no handler.
int cebpf_guard_mapping(const void *start, size_t length,
                        struct cebpf_guarded_mapping *_Nullable *_Nonnull guard);
// Must come before the mapping is unmapped.
void cebpf_unguard_mapping(struct cebpf_guarded_mapping *guard);
// 1 when a read found bytes missing.
int cebpf_mapping_is_damaged(struct cebpf_guarded_mapping *guard);

// Gives the pages of a read-only file mapping back; the next read brings them in again.
int cebpf_release_pages(const void *start, size_t length);

#pragma clang assume_nonnull end

#endif
