#define _GNU_SOURCE
#include "child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Runs in the child between fork and exec: only calls that are safe there.
static void leave_terminal(void) {
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  struct winsize size;
  for (int stream = 0; stream <= 2; stream++)
    if (nothing >= 0 && ioctl(stream, TIOCGWINSZ, &size) == 0) dup2(nothing, stream);
}

static _Noreturn void run_child(char *const *arguments, int is_quiet, int barrier, int outcome) {
  sigset_t none;
  char go;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  ssize_t got;
  do {
    got = read(barrier, &go, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) _exit(125);
  if (is_quiet) leave_terminal();
  execvp(arguments[0], arguments);
  int error = errno;
  ssize_t written = write(outcome, &error, sizeof error);
  _exit(written == sizeof error ? 127 : 126);
}

int cebpf_child_start(char *const *arguments, int is_quiet, int *barrier, int *outcome) {
  int go[2], result[2];
  if (pipe2(go, O_CLOEXEC) != 0) return -errno;
  if (pipe2(result, O_CLOEXEC) != 0) {
    int error = errno;
    close(go[0]);
    close(go[1]);
    return -error;
  }
  pid_t child = fork();
  if (child == 0) {
    close(go[1]);
    close(result[0]);
    run_child(arguments, is_quiet, go[0], result[1]);
  }
  int error = errno;
  close(go[0]);
  close(result[1]);
  if (child < 0) {
    close(go[1]);
    close(result[0]);
    return -error;
  }
  *barrier = go[1];
  *outcome = result[0];
  return child;
}

int cebpf_process_descriptor(int process) {
  int descriptor = (int)syscall(SYS_pidfd_open, process, 0);
  return descriptor < 0 ? -errno : descriptor;
}

int cebpf_child_wait(int process, int *status) {
  pid_t ended;
  do {
    ended = waitpid(process, status, 0);
  } while (ended < 0 && errno == EINTR);
  return ended < 0 ? -errno : 0;
}

int cebpf_child_abandon(int descriptor, int kill_first) {
  siginfo_t end;
  int result;
  if (kill_first && syscall(SYS_pidfd_send_signal, descriptor, SIGKILL, NULL, 0) != 0) return -errno;
  do {
    result = waitid(P_PIDFD, (id_t)descriptor, &end, kill_first ? WEXITED : WEXITED | WNOHANG);
  } while (result != 0 && errno == EINTR);
  return result != 0 ? -errno : 0;
}

int cebpf_rename(const char *from, const char *to) {
  return rename(from, to) != 0 ? -errno : 0;
}

int cebpf_send_signal(int process, int signal) {
  return kill(process, signal) != 0 ? -errno : 0;
}

int cebpf_unblock_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, NULL) != 0 ? -errno : 0;
}

int cebpf_unblock(const int *signals, size_t count) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t index = 0; index < count; index++) sigaddset(&set, signals[index]);
  return sigprocmask(SIG_UNBLOCK, &set, NULL) != 0 ? -errno : 0;
}

int cebpf_terminal_columns(int descriptor) {
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return -errno;
  return size.ws_col;
}
