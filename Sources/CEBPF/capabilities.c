#define _GNU_SOURCE
#include "capabilities.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int cebpf_effective_capabilities(uint64_t *mask) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, data) != 0) return -errno;
  *mask = data[0].effective | (uint64_t)data[1].effective << 32;
  return 0;
}

// Safe in a signal handler: system calls only.
int cebpf_limit_thread_capabilities(uint64_t mask) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, data) != 0) return -errno;
  for (int word = 0; word < _LINUX_CAPABILITY_U32S_3; word++) {
    uint32_t wanted = (uint32_t)(mask >> 32 * word);
    data[word].permitted &= wanted;
    data[word].effective = data[word].permitted;
    data[word].inheritable = 0;
  }
  return syscall(SYS_capset, &header, data) != 0 ? -errno : 0;
}

// Both belong to a thread, not to the process.
static int limit_thread(uint64_t mask) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
  return cebpf_limit_thread_capabilities(mask);
}

// One request at a time; the handler reads it on the thread that was signalled.
static pthread_mutex_t request = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t requested_mask;
static _Atomic int first_error;
static sem_t answered;

static void answer(int number, siginfo_t *information, void *context) {
  (void)context;
  if (information->si_code != SI_TKILL) {
    // Somebody's filter of system calls: as if nothing were here.
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  int before = errno;
  int error = limit_thread(requested_mask);
  int none = 0;
  if (error != 0) atomic_compare_exchange_strong(&first_error, &none, error);
  sem_post(&answered);
  errno = before;
}

enum { THREADS = 1024 };

struct threads {
  int count;
  int ids[THREADS];
};

static int was_asked(const struct threads *asked, int id) {
  for (int index = 0; index < asked->count; index++)
    if (asked->ids[index] == id) return 1;
  return 0;
}

// Asks every thread that was not asked yet, by a signal that no thread pool blocks (libdispatch's
// workers block nearly all); the number of those, or a negative errno.
static int ask_threads(struct threads *asked) {
  DIR *tasks = opendir("/proc/self/task");
  if (!tasks) return -errno;
  int sent = 0, error = 0;
  for (struct dirent *entry; error == 0 && (entry = readdir(tasks));) {
    int id = atoi(entry->d_name);
    if (id == 0 || was_asked(asked, id)) continue;
    if (asked->count == THREADS) {
      error = -E2BIG;
    } else {
      asked->ids[asked->count++] = id;
      if (syscall(SYS_tgkill, getpid(), id, SIGSYS) == 0)
        sent++;
      else if (errno != ESRCH)
        error = -errno;
    }
  }
  closedir(tasks);
  return error != 0 ? error : sent;
}

static int wait_for_answers(int count) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += 1;
  while (count > 0) {
    if (sem_timedwait(&answered, &deadline) == 0)
      count--;
    else if (errno != EINTR)
      return -errno;
  }
  return 0;
}

int cebpf_limit_capabilities(uint64_t mask) {
  struct sigaction action, before;
  struct threads asked = {0};
  pthread_mutex_lock(&request);
  atomic_store(&requested_mask, mask);
  atomic_store(&first_error, 0);
  sem_init(&answered, 0, 0);
  memset(&action, 0, sizeof action);
  action.sa_sigaction = answer;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  sigfillset(&action.sa_mask);
  int result = sigaction(SIGSYS, &action, &before) != 0 ? -errno : 0;
  if (result == 0) {
    // This one first: threads that it starts from here on have no more than it.
    asked.ids[asked.count++] = (int)syscall(SYS_gettid);
    result = limit_thread(mask);
    for (int sent = 1; result == 0 && sent > 0;) {
      sent = ask_threads(&asked);
      result = sent < 0 ? sent : wait_for_answers(sent);
    }
    // A thread that answers late must find the handler: it stays when one is missing.
    if (result == 0) sigaction(SIGSYS, &before, NULL);
  }
  if (result == 0) result = atomic_load(&first_error);
  pthread_mutex_unlock(&request);
  return result;
}

int cebpf_become_user(uint32_t user, uint32_t group) {
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return -errno;
  if (setgroups(0, NULL) != 0 || setgid(group) != 0 || setuid(user) != 0) return -errno;
  return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0 ? -errno : 0;
}
