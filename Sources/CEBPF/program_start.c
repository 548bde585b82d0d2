#define _GNU_SOURCE
#include "program_start.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

// The system call itself: the library's function mixes results with errors.
static int request(int what, int process, uintptr_t address, uintptr_t data) {
  return syscall(SYS_ptrace, what, process, address, data) < 0 ? -errno : 0;
}

int cebpf_start_stop(int process, int waits, int *sent, int *is_event, int *is_exec) {
  siginfo_t information;
  int flags = WEXITED | WSTOPPED | WNOWAIT | (waits ? 0 : WNOHANG);
  int result;
  do {
    information.si_pid = 0;
    result = waitid(P_PID, (id_t)process, &information, flags);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return -errno;
  if (information.si_pid == 0) return CEBPF_START_RUNS;
  if (information.si_code != CLD_TRAPPED) return CEBPF_START_ENDED;
  int event = information.si_status >> 8;
  *sent = information.si_status & 0xff;
  *is_event = event != 0;
  *is_exec = event == PTRACE_EVENT_EXEC;
  return CEBPF_START_STOPPED;
}

int cebpf_start_interrupt(int process) {
  return request(PTRACE_INTERRUPT, process, 0, 0);
}

#ifdef __x86_64__

#define USER_CODE_SEGMENT_64 0x33
#define DEBUG_REGISTER(n) (offsetof(struct user, u_debugreg) + (n) * sizeof(unsigned long))
// In register 7: stop at the execution of one byte at the address in register 0.
#define EXECUTION_AT_0 1

int cebpf_start_seize(int process) {
  return request(PTRACE_SEIZE, process, 0, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
}

int cebpf_start_instruction(int process, uint64_t *address) {
  unsigned long segment, place;
  int result = request(PTRACE_PEEKUSER, process, offsetof(struct user, regs.cs),
                       (uintptr_t)&segment);
  if (result < 0) return result;
  if (segment != USER_CODE_SEGMENT_64) return -ENOEXEC;
  result = request(PTRACE_PEEKUSER, process, offsetof(struct user, regs.rip), (uintptr_t)&place);
  *address = place;
  return result;
}

// A debug register: nothing in the program's memory changes, nothing is passed on to what it forks.
int cebpf_start_run_to(int process, uint64_t address) {
  int result = request(PTRACE_POKEUSER, process, DEBUG_REGISTER(7), 0);
  if (result < 0) return result;
  result = request(PTRACE_POKEUSER, process, DEBUG_REGISTER(0), address);
  if (result < 0) return result;
  result = request(PTRACE_POKEUSER, process, DEBUG_REGISTER(7), EXECUTION_AT_0);
  return result < 0 ? result : request(PTRACE_CONT, process, 0, 0);
}

int cebpf_start_detach(int process, int sent) {
  int result = request(PTRACE_POKEUSER, process, DEBUG_REGISTER(7), 0);
  return result < 0 ? result : request(PTRACE_DETACH, process, 0, (uintptr_t)sent);
}

#else

int cebpf_start_seize(int process) {
  (void)process;
  return -ENOSYS;
}

int cebpf_start_instruction(int process, uint64_t *address) {
  (void)process;
  *address = 0;
  return -ENOSYS;
}

int cebpf_start_run_to(int process, uint64_t address) {
  (void)process;
  (void)address;
  return -ENOSYS;
}

int cebpf_start_detach(int process, int sent) {
  return request(PTRACE_DETACH, process, 0, (uintptr_t)sent);
}

#endif
