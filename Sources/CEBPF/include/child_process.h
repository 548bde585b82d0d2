// Starting a program that waits until its observer is ready.
#ifndef CEBPF_CHILD_PROCESS_H
#define CEBPF_CHILD_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Forks. The child waits for one byte on `*barrier`, then executes arguments[0] (looked up in PATH)
// with an empty signal mask; when the barrier is closed instead it exits. Returns the child's id or a
// negative errno. `*outcome` is read for the errno of a failed exec and closes when exec succeeds.
// With `is_quiet` those of its standard streams that are terminals become /dev/null.
int cebpf_child_start(char *_Nullable const *_Nonnull arguments, int is_quiet, int *barrier,
                      int *outcome);
// A descriptor that becomes readable when the process ends, or a negative errno. Linux 5.3.
int cebpf_process_descriptor(int process);
// Waits for a child to end and stores its wait status; 0 or a negative errno.
int cebpf_child_wait(int process, int *status);
// Reaps a child that nobody will wait for, by its descriptor: when it has ended already, or after killing it
// with `kill_first`. 0 or a negative errno: ECHILD when it was waited for. Linux 5.4.
int cebpf_child_abandon(int descriptor, int kill_first);
int cebpf_rename(const char *from, const char *to);
int cebpf_send_signal(int process, int signal);
// Lets every signal reach the calling thread again; 0 or a negative errno.
int cebpf_unblock_signals(void);
// Lets these signals reach the calling thread again; 0 or a negative errno.
int cebpf_unblock(const int *signals, size_t count);
// Columns of the terminal behind a descriptor, or a negative errno when it is none.
int cebpf_terminal_columns(int descriptor);

#pragma clang assume_nonnull end

#endif
