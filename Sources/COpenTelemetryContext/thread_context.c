// The publisher of OTEP 4947 (https://github.com/open-telemetry/opentelemetry-specification, file
// oteps/profiles/4947-thread-ctx.md), "Context Attachment" and "Context Detachment": the way that
// sets the pointer, and leaves records that it points to alone.
//
// A reader looks while the thread is interrupted, between any two instructions, and on its own CPU.
// So it is enough that the compiler keeps the order of stores.
#include <string.h>

#include "COpenTelemetryContext.h"

_Static_assert(offsetof(struct otelctx_record, valid) == 24, "as OTEP 4947 has it");
_Static_assert(offsetof(struct otelctx_record, attributes_size) == 26, "as OTEP 4947 has it");
_Static_assert(offsetof(struct otelctx_record, attributes) == 28, "as OTEP 4947 has it");
_Static_assert(sizeof(struct otelctx_record) == 640, "as OTEP 4947 recommends");

// What readers look for, by this name.
__attribute__((visibility("default"), used, retain)) _Thread_local struct otelctx_record
    *_Nullable otel_thread_ctx_v1;

static _Thread_local struct otelctx_record own;

static void store(uint8_t *bytes, uint64_t word) {
  word = __builtin_bswap64(word);
  memcpy(bytes, &word, sizeof(word));
}

uint64_t otelctx_word(const struct otelctx_record *record, size_t offset) {
  uint64_t word;

  memcpy(&word, (const uint8_t *)record + offset, sizeof(word));
  return __builtin_bswap64(word);
}

void otelctx_fill(struct otelctx_record *record, uint64_t trace_high, uint64_t trace_low,
                  uint64_t span, uint8_t flags) {
  store(record->trace_id, trace_high);
  store(record->trace_id + 8, trace_low);
  store(record->span_id, span);
  record->valid = 1;
  record->trace_flags = flags;
  record->attributes_size = 0;
}

int otelctx_add(struct otelctx_record *record, uint8_t key, const void *value, size_t size) {
  size_t used = record->attributes_size;

  if (size > UINT8_MAX || used + 2 + size > OTELCTX_ATTRIBUTES)
    return 0;
  record->attributes[used] = key;
  record->attributes[used + 1] = (uint8_t)size;
  if (size > 0)
    memcpy(record->attributes + used + 2, value, size);
  record->attributes_size = (uint16_t)(used + 2 + size);
  return 1;
}

struct otelctx_record *otelctx_swap(struct otelctx_record *record) {
  struct otelctx_record *before = otel_thread_ctx_v1;

  // The record is complete before it is the thread's, and no longer the thread's when it is changed.
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  __atomic_store_n(&otel_thread_ctx_v1, record, __ATOMIC_RELAXED);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  return before;
}

const struct otelctx_record *otelctx_current(void) { return otel_thread_ctx_v1; }

struct otelctx_record *otelctx_own(void) { return &own; }

// SwiftJob; the kinds of what the runtime enqueues for its own ends are 192 and above.
struct job {
  const void *metadata;
  uintptr_t references;
  void *_Nullable scheduler_private[2];
  uint32_t flags;  // the lowest byte is the kind
};

bool otelctx_is_task(const void *job) { return (((const struct job *)job)->flags & 0xff) == 0; }
