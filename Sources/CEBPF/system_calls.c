#define _GNU_SOURCE
#include "CEBPF.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// errno is read before anything else can run, which Swift cannot promise.
#define RESULT(call)                       \
  ({                                       \
    __auto_type result_ = (call);          \
    result_ < 0 ? -errno : result_;        \
  })

int cebpf_bpf(uint32_t command, void *attributes, uint32_t size) {
  // The verifier returns EAGAIN when a signal interrupted it; the caller decides about retries.
  return (int)RESULT(syscall(SYS_bpf, (long)command, attributes, (long)size));
}

int cebpf_perf_event_open(struct cebpf_perf_attributes *attributes, int32_t pid, int32_t cpu,
                          int32_t group, uint64_t flags) {
  return (int)RESULT(syscall(SYS_perf_event_open, attributes, (long)pid, (long)cpu, (long)group,
                             (unsigned long)flags));
}

int cebpf_ioctl(int descriptor, uint32_t request, uint64_t argument) {
  return RESULT(ioctl(descriptor, (unsigned long)request, (unsigned long)argument));
}

// MARK: Files

int cebpf_open(int directory, const char *path, int flags, uint32_t mode) {
  return RESULT(openat(directory, path, flags | O_CLOEXEC, (mode_t)mode));
}

int cebpf_close(int descriptor) { return RESULT(close(descriptor)); }

int cebpf_duplicate(int descriptor) { return RESULT(fcntl(descriptor, F_DUPFD_CLOEXEC, 3)); }

int64_t cebpf_read(int descriptor, void *buffer, size_t count) {
  return RESULT(read(descriptor, buffer, count));
}

int64_t cebpf_read_at(int descriptor, void *buffer, size_t count, int64_t offset) {
  return RESULT(pread(descriptor, buffer, count, offset));
}

int64_t cebpf_write(int descriptor, const void *buffer, size_t count) {
  return RESULT(write(descriptor, buffer, count));
}

static void convert_status(const struct stat *from, struct cebpf_file_status *to) {
  to->size = from->st_size < 0 ? 0 : (uint64_t)from->st_size;
  to->inode = from->st_ino;
  to->device = from->st_dev;
  to->modified = from->st_mtim.tv_sec * INT64_C(1000000000) + from->st_mtim.tv_nsec;
  to->mode = from->st_mode;
}

int cebpf_status(int descriptor, struct cebpf_file_status *status) {
  struct stat found;
  int result = RESULT(fstat(descriptor, &found));
  if (result == 0) convert_status(&found, status);
  return result;
}

int cebpf_path_status(const char *path, struct cebpf_file_status *status) {
  struct stat found;
  int result = RESULT(stat(path, &found));
  if (result == 0) convert_status(&found, status);
  return result;
}

int cebpf_link_status(const char *path, struct cebpf_file_status *status) {
  struct stat found;
  int result = RESULT(lstat(path, &found));
  if (result == 0) convert_status(&found, status);
  return result;
}

int64_t cebpf_file_system_type(const char *path) {
  struct statfs found;
  int result = RESULT(statfs(path, &found));
  return result < 0 ? result : (int64_t)(uint32_t)found.f_type;
}

int cebpf_unlink(const char *path) { return RESULT(unlink(path)); }

int cebpf_make_directory(const char *path, uint32_t mode) {
  return RESULT(mkdir(path, (mode_t)mode));
}

int cebpf_memory_file(const char *name) { return RESULT(memfd_create(name, MFD_CLOEXEC)); }

int cebpf_truncate(int descriptor, uint64_t length) {
  return RESULT(ftruncate(descriptor, (off_t)length));
}

int cebpf_lock(int descriptor) { return RESULT(flock(descriptor, LOCK_EX | LOCK_NB)); }

int64_t cebpf_read_link(const char *path, void *buffer, size_t count) {
  return RESULT(readlink(path, buffer, count));
}

int64_t cebpf_directory_entries(int descriptor, void *buffer, size_t count) {
  return RESULT(syscall(SYS_getdents64, descriptor, buffer, count));
}

// MARK: Memory

static int store_mapping(void *mapped, void **address) {
  if (mapped == MAP_FAILED) return -errno;
  *address = mapped;
  return 0;
}

int cebpf_map_memory(int descriptor, uint64_t offset, size_t length, int writable,
                     void **address) {
  // The kernel lets read-only BTF and ELF files be mapped privately; rings must be shared.
  int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void *mapped = mmap(NULL, length, protection, MAP_SHARED, descriptor, (off_t)offset);
  if (mapped == MAP_FAILED && !writable)
    mapped = mmap(NULL, length, protection, MAP_PRIVATE, descriptor, (off_t)offset);
  return store_mapping(mapped, address);
}

int cebpf_map_anonymous(size_t length, void **address) {
  return store_mapping(
      mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), address);
}

int cebpf_unmap_memory(void *address, size_t length) { return RESULT(munmap(address, length)); }

uint64_t cebpf_page_size(void) { return (uint64_t)sysconf(_SC_PAGESIZE); }

void cebpf_return_free_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void cebpf_use_one_heap(void) {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 1);
#endif
}

void cebpf_expect_memory(size_t length) {
#ifdef __GLIBC__
  const uintptr_t huge = (uintptr_t)2 << 20;
  static int is_prepared;
  length &= ~(huge - 1);
  if (length == 0 || is_prepared) return;
  is_prepared = 1;
  // One heap, for large blocks as well, that keeps what is freed.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  char *heap = malloc(length + huge);
  if (!heap) return;
  uintptr_t first = ((uintptr_t)heap + huge - 1) & ~(huge - 1);
  size_t head = first - (uintptr_t)heap;
  madvise((void *)first, length, MADV_HUGEPAGE);
  free(heap);
  // What lies before the first huge page stays unused, and so untouched. Not a local variable: a compiler
  // may leave out an allocation that nobody sees.
  static void *volatile unused;
  if (head > 64) unused = malloc(head - 64);
#else
  (void)length;
#endif
}

// MARK: Waiting

int cebpf_epoll_create(void) { return RESULT(epoll_create1(EPOLL_CLOEXEC)); }

int cebpf_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  return RESULT(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event));
}

int cebpf_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  return RESULT(epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event));
}

int cebpf_epoll_remove(int epoll, int descriptor) {
  struct epoll_event unused = {0};
  return RESULT(epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &unused));
}

void cebpf_sleep(uint64_t nanoseconds) {
  struct timespec time = {.tv_sec = (time_t)(nanoseconds / 1000000000),
                          .tv_nsec = (long)(nanoseconds % 1000000000)};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

int cebpf_epoll_wait(int epoll, struct cebpf_event *events, int count, int timeout_milliseconds) {
  struct epoll_event found[CEBPF_EVENTS_AT_ONCE];
  if (count > CEBPF_EVENTS_AT_ONCE) count = CEBPF_EVENTS_AT_ONCE;
  int result = RESULT(epoll_wait(epoll, found, count, timeout_milliseconds));
  for (int index = 0; index < result; index++) {
    events[index].events = found[index].events;
    events[index].padding = 0;
    events[index].data = found[index].data.u64;
  }
  return result;
}

int cebpf_poll(const int *descriptors, size_t count, int timeout_milliseconds) {
  enum { LIMIT = 1024 };
  struct pollfd waiting[LIMIT];
  if (count > LIMIT) return -EINVAL;
  for (size_t index = 0; index < count; index++)
    waiting[index] = (struct pollfd){.fd = descriptors[index], .events = POLLIN};
  return RESULT(poll(waiting, count, timeout_milliseconds));
}

int cebpf_event_descriptor(void) { return RESULT(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int cebpf_timer_descriptor(void) {
  return RESULT(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

int cebpf_timer_set(int timer, uint64_t nanoseconds, int repeats) {
  struct timespec span = {.tv_sec = (time_t)(nanoseconds / 1000000000),
                          .tv_nsec = (long)(nanoseconds % 1000000000)};
  struct itimerspec setting = {.it_value = span};
  if (repeats) setting.it_interval = span;
  return RESULT(timerfd_settime(timer, 0, &setting, NULL));
}

int cebpf_signal_descriptor(const int *signals, size_t count) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t index = 0; index < count; index++) sigaddset(&set, signals[index]);
  int result = RESULT(sigprocmask(SIG_BLOCK, &set, NULL));
  return result < 0 ? result : RESULT(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int cebpf_signal_read(int descriptor) {
  struct signalfd_siginfo found;
  ssize_t result = RESULT(read(descriptor, &found, sizeof found));
  return result < 0 ? (int)result : (int)found.ssi_signo;
}

// MARK: Machine

int cebpf_clock(int clock, int64_t *nanoseconds) {
  struct timespec now;
  int result = RESULT(clock_gettime((clockid_t)clock, &now));
  if (result == 0) *nanoseconds = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
  return result;
}

int cebpf_names(struct cebpf_names *names) {
  struct utsname found;
  int result = RESULT(uname(&found));
  if (result < 0) return result;
  memcpy(names->system, found.sysname, sizeof names->system);
  memcpy(names->node, found.nodename, sizeof names->node);
  memcpy(names->release, found.release, sizeof names->release);
  memcpy(names->version, found.version, sizeof names->version);
  memcpy(names->machine, found.machine, sizeof names->machine);
  return 0;
}

int cebpf_process_id(void) { return getpid(); }

int cebpf_parent_id(void) { return getppid(); }

int cebpf_wait_grace_period(void) {
  // MEMBARRIER_CMD_GLOBAL is synchronize_rcu() (membarrier(2), linux/membarrier.h).
  return (int)RESULT(syscall(SYS_membarrier, 1L, 0L, 0L));
}

int cebpf_thread_id(void) { return (int)syscall(SYS_gettid); }

uint32_t cebpf_effective_user(void) { return geteuid(); }

int cebpf_cpu(void) { return RESULT(sched_getcpu()); }

int cebpf_bind_to_cpu(int cpu) {
  cpu_set_t set;
  if (cpu < 0 || cpu >= CPU_SETSIZE) return -EINVAL;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return RESULT(sched_setaffinity(0, sizeof set, &set));
}

int cebpf_thread_niceness(void) {
  // The system call itself returns 20 - nice, so that no answer looks like an error (getpriority(2)).
  int result = RESULT(syscall(SYS_getpriority, (long)PRIO_PROCESS, 0L));
  return result < 0 ? result : 40 - result;
}

int cebpf_set_thread_niceness(int niceness) {
  return RESULT(syscall(SYS_setpriority, (long)PRIO_PROCESS, 0L, (long)niceness - 20));
}

int cebpf_make_thread_urgent(void) {
  // struct sched_attr, version 0 (sched_setattr(2)). The shortest slice makes a woken thread run at
  // once (Linux 6.12; ignored before).
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {.size = 48, .policy = SCHED_OTHER, .nice = -20, .runtime = 100000};
  int result = RESULT(syscall(SYS_sched_setattr, 0L, &attributes, 0L));
  if (result != -EPERM && result != -EACCES) return result;
  attributes.nice = 0;
  return (int)RESULT(syscall(SYS_sched_setattr, 0L, &attributes, 0L));
}
