#include "CEBPF.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

static int argument_count;
static char **argument_values;

// Only there in executables that look names up: a weak reference brings nothing with it.
extern int __nss_configure_lookup(const char *database, const char *services) __attribute__((weak));

static int has_interpreter(void) {
  const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
  for (unsigned long count = header ? getauxval(AT_PHNUM) : 0; count > 0; count--, header++)
    if (header->p_type == PT_INTERP) return 1;
  return 0;
}

// /etc/nsswitch.conf names modules that belong to another C library than the one in a static
// executable; /etc/hosts and DNS are built in.
static void use_own_name_services(void) {
  if (__nss_configure_lookup && !has_interpreter()) __nss_configure_lookup("hosts", "files dns");
}

// Runs before the Swift runtime. Without /proc, a static Swift program aborts while it looks for the
// path of its own runtime, unless it is told one; and it has no arguments, unless they are kept here
// (glibc passes them to constructors). Both happen in a bare chroot and as process 1 of a machine.
__attribute__((constructor(101))) static void prepare(int count, char **values) {
  argument_count = count;
  argument_values = values;
  if (access("/proc/self/exe", F_OK) != 0) setenv("SWIFT_ROOT", "/", 0);
  use_own_name_services();
}

int cebpf_argument_count(void) { return argument_count; }

const char *cebpf_argument(int index) {
  return index >= 0 && index < argument_count ? argument_values[index] : NULL;
}
