#define _GNU_SOURCE
#include "guarded_mappings.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// A slot is free when `start` is 0, being filled when it is 1, else in use. Tables are never freed,
// so that the signal handler can walk them without a lock.
struct cebpf_guarded_mapping {
  _Atomic uintptr_t start;
  _Atomic size_t length;
  atomic_int damaged;
};

enum { SLOTS = 512 };
struct table {
  struct cebpf_guarded_mapping slots[SLOTS];
  _Atomic(struct table *) next;
};

static struct table first_table;
static struct sigaction previous;
static uintptr_t page_size;
static int installation_error;

// The thread that faults keeps its mapping guarded while it reads, so that its slot does not change.
static struct cebpf_guarded_mapping *find(uintptr_t address) {
  for (struct table *table = &first_table; table; table = atomic_load(&table->next)) {
    for (int index = 0; index < SLOTS; index++) {
      struct cebpf_guarded_mapping *slot = &table->slots[index];
      uintptr_t start = atomic_load(&slot->start);
      if (start <= 1 || address < start) continue;
      size_t length = atomic_load(&slot->length);
      if (address - start < length && atomic_load(&slot->start) == start) return slot;
    }
  }
  return NULL;
}

// Puts zeros where the file ended: from the missing page to the end of the mapping.
static int repair(uintptr_t address) {
  struct cebpf_guarded_mapping *slot = find(address);
  if (!slot) return 0;
  uintptr_t page = address & ~(page_size - 1);
  size_t rest = atomic_load(&slot->start) + atomic_load(&slot->length) - page;
  atomic_store(&slot->damaged, 1);
  void *mapped = mmap((void *)page, rest, PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  return mapped != MAP_FAILED;
}

static void forward(int signal, siginfo_t *information, void *context) {
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal, information, context);
    return;
  }
  if (previous.sa_handler == SIG_IGN && information->si_code <= 0) return;
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
    return;
  }
  // Without a handler the instruction faults again and the process ends as it would have; a signal
  // that somebody sent is sent again.
  struct sigaction standard = {.sa_handler = SIG_DFL};
  sigaction(signal, &standard, NULL);
  if (information->si_code <= 0) raise(signal);
}

static void handle(int signal, siginfo_t *information, void *context) {
  int error = errno;
  int is_fault = information->si_code > 0;
  if (!is_fault || !repair((uintptr_t)information->si_addr))
    forward(signal, information, context);
  errno = error;
}

static void install(void) {
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
  // Read first: a fault may come as soon as the handler is there.
  if (sigaction(SIGBUS, NULL, &previous) != 0 || sigaction(SIGBUS, &action, NULL) != 0)
    installation_error = errno;
}

static struct cebpf_guarded_mapping *take(struct table *table) {
  for (int index = 0; index < SLOTS; index++) {
    uintptr_t free = 0;
    if (atomic_compare_exchange_strong(&table->slots[index].start, &free, 1))
      return &table->slots[index];
  }
  return NULL;
}

int cebpf_guard_mapping(const void *start, size_t length, struct cebpf_guarded_mapping **guard) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install);
  if (installation_error) return -installation_error;
  struct table *table = &first_table;
  struct cebpf_guarded_mapping *slot;
  while (!(slot = take(table))) {
    struct table *next = atomic_load(&table->next);
    if (!next) {
      struct table *added = calloc(1, sizeof *added);
      if (!added) return -ENOMEM;
      if (atomic_compare_exchange_strong(&table->next, &next, added))
        next = added;
      else
        free(added);
    }
    table = next;
  }
  atomic_store(&slot->length, length);
  atomic_store(&slot->damaged, 0);
  atomic_store(&slot->start, (uintptr_t)start);
  *guard = slot;
  return 0;
}

void cebpf_unguard_mapping(struct cebpf_guarded_mapping *guard) { atomic_store(&guard->start, 0); }

int cebpf_mapping_is_damaged(struct cebpf_guarded_mapping *guard) {
  return atomic_load(&guard->damaged);
}

int cebpf_release_pages(const void *start, size_t length) {
  return madvise((void *)(uintptr_t)start, length, MADV_DONTNEED) == 0 ? 0 : -errno;
}
