// The kernel's door: each function returns its result, or a negative errno. No policy.
#ifndef CEBPF_H
#define CEBPF_H

#include <stddef.h>
#include <stdint.h>

#include "bpf_attributes.h"
#include "capabilities.h"
#include "child_process.h"
#include "guarded_mappings.h"
#include "local_sockets.h"
#include "perf_attributes.h"
#include "program_start.h"

#pragma clang assume_nonnull begin

// bpf(2) and perf_event_open(2)
int cebpf_bpf(uint32_t command, void *attributes, uint32_t size);
int cebpf_perf_event_open(struct cebpf_perf_attributes *attributes, int32_t pid, int32_t cpu,
                          int32_t group, uint64_t flags);
int cebpf_ioctl(int descriptor, uint32_t request, uint64_t argument);

// Files
struct cebpf_file_status {
  uint64_t size;
  uint64_t inode;
  uint64_t device;
  int64_t modified;  // nanoseconds since 1970
  uint32_t mode;
};
int cebpf_open(int directory, const char *path, int flags, uint32_t mode);
int cebpf_close(int descriptor);
int cebpf_duplicate(int descriptor);
int64_t cebpf_read(int descriptor, void *buffer, size_t count);
int64_t cebpf_read_at(int descriptor, void *buffer, size_t count, int64_t offset);
int64_t cebpf_write(int descriptor, const void *buffer, size_t count);
int cebpf_status(int descriptor, struct cebpf_file_status *status);
int cebpf_path_status(const char *path, struct cebpf_file_status *status);
// Of a symbolic link itself.
int cebpf_link_status(const char *path, struct cebpf_file_status *status);
// The file system's magic number (statfs.f_type), or a negative errno.
int64_t cebpf_file_system_type(const char *path);
int cebpf_unlink(const char *path);
int cebpf_make_directory(const char *path, uint32_t mode);
// A file without a path, in memory (memfd_create(2), Linux 3.17).
int cebpf_memory_file(const char *name);
int cebpf_truncate(int descriptor, uint64_t length);
// Takes an exclusive lock that ends with the descriptor; -EWOULDBLOCK when another has it.
int cebpf_lock(int descriptor);
int64_t cebpf_read_link(const char *path, void *buffer, size_t count);
// Directory entries as struct linux_dirent64.
int64_t cebpf_directory_entries(int descriptor, void *buffer, size_t count);

// Memory
// On success the address is stored and 0 returned.
int cebpf_map_memory(int descriptor, uint64_t offset, size_t length, int writable,
                     void *_Nullable *_Nonnull address);
int cebpf_map_anonymous(size_t length, void *_Nullable *_Nonnull address);
int cebpf_unmap_memory(void *address, size_t length);
uint64_t cebpf_page_size(void);
// Gives memory back that malloc keeps for later; nothing where the C library has no way to.
void cebpf_return_free_memory(void);
// One heap for all threads instead of one for each: what one gave back another one uses. To be called while there
// is one thread. Nothing where the C library has no way to.
void cebpf_use_one_heap(void);
// Prepares malloc for at least so many bytes that will be wanted soon and soon be gone: as many of them as fill
// huge pages, where the kernel has those to give (`madvise` in /sys/kernel/mm/transparent_hugepage/enabled). It
// costs a fault for each 2 MiB instead of each 4 KiB. Nothing where the C library has no way to, and nothing when
// it was done before: what lies before the first huge page is given up.
void cebpf_expect_memory(size_t length);

// Waiting
struct cebpf_event {
  uint32_t events;
  uint32_t padding;
  uint64_t data;
};
enum { CEBPF_EVENTS_AT_ONCE = 64 };
int cebpf_epoll_create(void);
int cebpf_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t data);
// Arms a descriptor again, or changes what it waits for.
int cebpf_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t data);
int cebpf_epoll_remove(int epoll, int descriptor);
// So long, or until a signal is handled.
void cebpf_sleep(uint64_t nanoseconds);
// At most CEBPF_EVENTS_AT_ONCE events; a negative timeout waits for ever.
int cebpf_epoll_wait(int epoll, struct cebpf_event *events, int count, int timeout_milliseconds);
// The number of these descriptors that can be read now or within the time; negative: for ever.
int cebpf_poll(const int *descriptors, size_t count, int timeout_milliseconds);
int cebpf_event_descriptor(void);
int cebpf_timer_descriptor(void);
// Fires first and then every `nanoseconds`; 0 stops it.
int cebpf_timer_set(int timer, uint64_t nanoseconds, int repeats);
// Blocks these signals for the calling thread and returns a descriptor that reports them.
int cebpf_signal_descriptor(const int *signals, size_t count);
// The next signal's number from such a descriptor.
int cebpf_signal_read(int descriptor);

// Machine
enum cebpf_clocks { CEBPF_REALTIME = 0, CEBPF_MONOTONIC = 1, CEBPF_BOOTTIME = 7, CEBPF_THREAD_CPU = 3,
                    CEBPF_PROCESS_CPU = 2 };
int cebpf_clock(int clock, int64_t *nanoseconds);
struct cebpf_names {
  char system[65];
  char node[65];
  char release[65];
  char version[65];
  char machine[65];
};
int cebpf_names(struct cebpf_names *names);
int cebpf_process_id(void);
int cebpf_parent_id(void);
int cebpf_thread_id(void);
// Returns after every BPF program that was running has ended.
int cebpf_wait_grace_period(void);
uint32_t cebpf_effective_user(void);
int cebpf_cpu(void);
// Binds the calling thread to one CPU.
int cebpf_bind_to_cpu(int cpu);
// Lets the calling thread run soon after it is woken; with CAP_SYS_NICE before all ordinary threads.
int cebpf_make_thread_urgent(void);
// The calling thread's nice value plus 20 (0…39), and how it is set; -EACCES or -EPERM for less
// without CAP_SYS_NICE.
int cebpf_thread_niceness(void);
int cebpf_set_thread_niceness(int niceness);

// The arguments main() got. The standard library reads them from /proc, which may be missing.
int cebpf_argument_count(void);
const char *_Nullable cebpf_argument(int index);

// Positions shared with the kernel.
static inline uint64_t cebpf_load_acquire_64(const void *address) {
  return __atomic_load_n((const uint64_t *)address, __ATOMIC_ACQUIRE);
}
static inline uint32_t cebpf_load_acquire_32(const void *address) {
  return __atomic_load_n((const uint32_t *)address, __ATOMIC_ACQUIRE);
}
static inline void cebpf_store_release_64(void *address, uint64_t value) {
  __atomic_store_n((uint64_t *)address, value, __ATOMIC_RELEASE);
}
static inline void cebpf_store_release_32(void *address, uint32_t value) {
  __atomic_store_n((uint32_t *)address, value, __ATOMIC_RELEASE);
}
// Orders every earlier store before every later load: the reader's half of not losing a wake-up.
static inline void cebpf_full_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

#pragma clang assume_nonnull end

#endif
