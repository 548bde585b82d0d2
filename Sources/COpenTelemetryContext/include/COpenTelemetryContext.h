// What Swift cannot say: thread-local variables with a name, and the order of stores that another
// process watches. No policy.
#ifndef COPENTELEMETRYCONTEXT_H
#define COPENTELEMETRYCONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// ---- OTEP 4719, process context: process_context.c ----

// Publishes `size` bytes of an encoded ProcessContext, or puts them in the place of those published
// before. Returns 0, or errno of the call that *call then names. One caller at a time.
int otelctx_publish(const void *payload, uint32_t size, const char *_Nullable *_Nonnull call);
// Takes back what was published; nothing when there is nothing.
void otelctx_withdraw(void);

// ---- OTEP 4947, thread context: thread_context.c ----

// The most bytes of attributes, so that a record has no more than the 640 that readers take.
#define OTELCTX_ATTRIBUTES 612

// The Thread-Local Context Record, byte for byte.
struct otelctx_record {
  uint8_t trace_id[16];
  uint8_t span_id[8];
  uint8_t valid;  // 1, or the record is none
  uint8_t trace_flags;
  uint16_t attributes_size;
  uint8_t attributes[OTELCTX_ATTRIBUTES];  // key, length, that many bytes; and so on
};

// Fills a record without attributes; ids as numbers whose first byte is the most significant one.
void otelctx_fill(struct otelctx_record *record, uint64_t trace_high, uint64_t trace_low,
                  uint64_t span, uint8_t flags);
// Adds an attribute. Returns 0 where it finds no room, and the record stays as it was.
int otelctx_add(struct otelctx_record *record, uint8_t key, const void *_Nullable value,
                size_t size);
// Makes a complete record, or none, that of the calling thread. Returns the one before.
struct otelctx_record *_Nullable otelctx_swap(struct otelctx_record *_Nullable record);
// The calling thread's record; null for none.
const struct otelctx_record *_Nullable otelctx_current(void);
// The number of 8 bytes of a record's ids, the first byte the most significant one.
uint64_t otelctx_word(const struct otelctx_record *record, size_t offset);
// A record that lives as long as the calling thread. It must not be the thread's when it is filled.
struct otelctx_record *otelctx_own(void);

// True for a job of Swift's that takes up a task, as swift/ExecutorImpl.h of the toolchain tells.
bool otelctx_is_task(const void *job);

#pragma clang assume_nonnull end

#endif
