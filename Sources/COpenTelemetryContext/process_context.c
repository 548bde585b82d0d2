// The publisher of OTEP 4719 (https://github.com/open-telemetry/opentelemetry-specification, file
// oteps/profiles/4719-process-ctx.md), "Publication Protocol" and "Updating Protocol". The stamp is
// the one of CLOCK_BOOTTIME that came with `monotonic_published_at_ns`.
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "COpenTelemetryContext.h"

// Values of the kernel's headers that older C libraries do not name.
#define NOEXEC_SEAL 0x0008U
#define SET_VMA 0x53564d41
#define SET_VMA_ANON_NAME 0

#define VERSION 2

struct header {
  uint64_t signature;  // "OTEL_CTX"
  uint32_t version;
  uint32_t payload_size;
  uint64_t monotonic_published_at_ns;  // 0: being changed
  uint64_t payload;                    // an address of this process
};
_Static_assert(sizeof(struct header) == 32, "the header has 32 bytes");

static struct {
  struct header *_Nullable header;
  void *_Nullable payload;
  uint64_t stamp;
  pid_t process;
} published;

static size_t mapping_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

// A page that /proc/PID/maps shows as /memfd:OTEL_CTX; without memfd one that is not named yet.
// MAP_FAILED and *call for an error.
static void *map_header(bool *has_name, const char **call) {
  size_t size = mapping_size();
  int file = memfd_create("OTEL_CTX", MFD_CLOEXEC | NOEXEC_SEAL);

  if (file < 0 && errno == EINVAL)  // before Linux 6.3
    file = memfd_create("OTEL_CTX", MFD_CLOEXEC);
  *has_name = file >= 0;
  *call = "mmap";
  if (file < 0)
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void *mapping = MAP_FAILED;
  if (ftruncate(file, (off_t)size) == 0)
    mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  else
    *call = "ftruncate";
  int error = errno;
  close(file);
  errno = error;
  return mapping;
}

// Who hooks prctl(2) learns by this of new and changed contexts, also where the kernel refuses it.
static bool name_mapping(const struct header *header) {
  return prctl(SET_VMA, SET_VMA_ANON_NAME, header, mapping_size(), "OTEL_CTX") == 0;
}

// Never the same twice, and never 0.
static uint64_t next_stamp(void) {
  struct timespec now = {0};

  clock_gettime(CLOCK_BOOTTIME, &now);
  uint64_t stamp = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
  if (stamp <= published.stamp)
    stamp = published.stamp + 1;
  published.stamp = stamp;
  return stamp;
}

static int publish_first(void *payload, uint32_t size, const char **call) {
  static const char signature[8] = {'O', 'T', 'E', 'L', '_', 'C', 'T', 'X'};
  bool has_name;
  uint64_t word;
  struct header *header = map_header(&has_name, call);

  if (header == MAP_FAILED)
    return errno;
  if (madvise(header, mapping_size(), MADV_DONTFORK) != 0) {
    int error = errno;
    *call = "madvise";
    munmap(header, mapping_size());
    return error;
  }
  header->version = VERSION;
  header->payload_size = size;
  header->payload = (uintptr_t)payload;
  __atomic_store_n(&header->monotonic_published_at_ns, next_stamp(), __ATOMIC_RELAXED);
  // Everything is there before the signature says so.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  memcpy(&word, signature, sizeof(word));
  __atomic_store_n(&header->signature, word, __ATOMIC_RELEASE);
  if (!name_mapping(header) && !has_name) {
    int error = errno;
    *call = "prctl";
    munmap(header, mapping_size());
    return error;
  }
  published.header = header;
  return 0;
}

// A reader that sees the stamp it saw before it read the rest, and not 0, has read one state.
static void update(struct header *header, void *payload, uint32_t size) {
  __atomic_store_n(&header->monotonic_published_at_ns, 0, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  __atomic_store_n(&header->payload_size, size, __ATOMIC_RELAXED);
  __atomic_store_n(&header->payload, (uintptr_t)payload, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  __atomic_store_n(&header->monotonic_published_at_ns, next_stamp(), __ATOMIC_RELAXED);
  name_mapping(header);
}

int otelctx_publish(const void *payload, uint32_t size, const char **call) {
  void *copy = malloc(size);
  int error = 0;

  if (copy == NULL) {
    *call = "malloc";
    return ENOMEM;
  }
  memcpy(copy, payload, size);
  // The mapping of a process does not come with fork(2) into its child.
  if (published.process != getpid())
    published.header = NULL;
  if (published.header != NULL)
    update(published.header, copy, size);
  else
    error = publish_first(copy, size, call);
  if (error != 0) {
    free(copy);
    return error;
  }
  free(published.payload);
  published.payload = copy;
  published.process = getpid();
  return 0;
}

void otelctx_withdraw(void) {
  if (published.header != NULL && published.process == getpid()) {
    __atomic_store_n(&published.header->monotonic_published_at_ns, 0, __ATOMIC_RELAXED);
    munmap(published.header, mapping_size());
  }
  published.header = NULL;
  free(published.payload);
  published.payload = NULL;
}
