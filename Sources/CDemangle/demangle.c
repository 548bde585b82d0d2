#include "CDemangle.h"

#include <stdlib.h>
#include <string.h>

// swift/Demangling/Demangle.h: exported by the runtime, returns memory for the caller to free.
char *swift_demangle(const char *name, size_t length, char *output, size_t *capacity,
                     uint32_t flags);
// Itanium C++ ABI, chapter 3.4. The Swift runtime brings the C++ one along, static or shared; weak,
// so that nobody has to know what it is called.
__attribute__((weak)) char *__cxa_demangle(const char *name, char *output, size_t *capacity,
                                           int *status);

static int64_t take(char *result, char *output, size_t capacity)
{
  if (result == NULL)
    return -1;
  size_t length = strlen(result);
  if (length <= capacity)
    memcpy(output, result, length);
  free(result);
  return length <= capacity ? (int64_t)length : -1;
}

int64_t cdemangle_swift(const char *name, size_t length, char *output, size_t capacity)
{
  return take(swift_demangle(name, length, NULL, NULL, 0), output, capacity);
}

int64_t cdemangle_cxx(const char *name, char *output, size_t capacity)
{
  int status = 0;
  if (__cxa_demangle == NULL)
    return -1;
  return take(__cxa_demangle(name, NULL, NULL, &status), output, capacity);
}
