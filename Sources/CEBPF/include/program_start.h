// Holding a child where its program begins, by ptrace(2): all of it from the thread that forked it.
#ifndef CEBPF_PROGRAM_START_H
#define CEBPF_PROGRAM_START_H

#include <stdint.h>

#pragma clang assume_nonnull begin

// What cebpf_start_stop returns.
enum cebpf_start_state {
  CEBPF_START_RUNS = 0,
  CEBPF_START_STOPPED = 1,
  CEBPF_START_ENDED = 2,
};

// Begins to trace a child, which runs on; it is killed when this process ends before
// cebpf_start_detach. 0 or a negative errno; -ENOSYS for other processors than x86-64.
int cebpf_start_seize(int process);
// Tells whether the child has stopped, waiting for that if it `waits`: an enum cebpf_start_state or a
// negative errno. Of one that stopped: the signal, and 1 in `is_exec` where it has just executed a
// program, 1 in `is_event` where no signal was sent to it.
int cebpf_start_stop(int process, int waits, int *signal, int *is_event, int *is_exec);
// The instruction at which a stopped child goes on; -ENOEXEC when that is not 64-bit code.
int cebpf_start_instruction(int process, uint64_t *address);
// Lets a stopped child go on, until it is about to execute the instruction at an address.
int cebpf_start_run_to(int process, uint64_t address);
// Asks a child that runs to stop.
int cebpf_start_interrupt(int process);
// Lets a stopped child go on for good, with a signal or 0.
int cebpf_start_detach(int process, int signal);

#pragma clang assume_nonnull end

#endif
