#include "CEBPF.h"

#include <stdlib.h>
#include <unistd.h>

static int argument_count;
static char **argument_values;

// Runs before the Swift runtime. Without /proc, a static Swift program aborts while it looks for the
// path of its own runtime, unless it is told one; and it has no arguments, unless they are kept here
// (glibc passes them to constructors). Both happen in a bare chroot and as process 1 of a machine.
__attribute__((constructor(101))) static void prepare(int count, char **values) {
  argument_count = count;
  argument_values = values;
  if (access("/proc/self/exe", F_OK) != 0) setenv("SWIFT_ROOT", "/", 0);
}

int cebpf_argument_count(void) { return argument_count; }

const char *cebpf_argument(int index) {
  return index >= 0 && index < argument_count ? argument_values[index] : NULL;
}
