// Demangling by what every Swift program already carries: its own runtime and the C++ runtime.
#ifndef CDEMANGLE_H
#define CDEMANGLE_H

#include <stddef.h>
#include <stdint.h>

// Both write at most `capacity` bytes of the name for people to `output`, without a final zero, and
// return its length; -1 when `name` is not mangled that way, when the result does not fit, or when
// memory runs out. `name` ends in a zero, which `length` does not count.
int64_t cdemangle_swift(const char *_Nonnull name, size_t length, char *_Nonnull output,
                        size_t capacity);
int64_t cdemangle_cxx(const char *_Nonnull name, char *_Nonnull output, size_t capacity);

#endif
