// Loads BTF blobs into the kernel and says whether it took each, with its log if not.
// usage: btf_load FILE…
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  static char log[1 << 20];
  for (int i = 1; i < argc; i++) {
    FILE *file = fopen(argv[i], "r");
    if (!file) return 1;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    void *data = malloc(size);
    if (fread(data, 1, size, file) != (size_t)size) return 1;
    fclose(file);
    LIBBPF_OPTS(bpf_btf_load_opts, options, .log_buf = log, .log_size = sizeof(log), .log_level = 1);
    log[0] = 0;
    int fd = bpf_btf_load(data, size, &options);
    size_t length = strlen(log);
    printf("%s %s\n", argv[i],
           fd >= 0 ? "taken" : length > 300 ? log + length - 300 : length ? log : strerror(errno));
    if (fd >= 0) close(fd);
    free(data);
  }
  return 0;
}
