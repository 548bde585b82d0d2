// What libbpf sees in an object: one line for each map and program.
// usage: libbpf_object open|load FILE…   ("load" also prints the instructions it would pass)
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments) {
  return 0;
}

static void print_instructions(const struct bpf_program *program) {
  const struct bpf_insn *instructions = bpf_program__insns(program);
  size_t count = bpf_program__insn_cnt(program);
  printf("I %s", bpf_program__name(program));
  for (size_t i = 0; i < count; i++) {
    struct bpf_insn insn = instructions[i];
    // Descriptors differ from one load to the next.
    if (insn.code == 0x18 && (insn.src_reg == 1 || insn.src_reg == 2)) insn.imm = 0;
    printf(" %02x%02x%04x%08x", insn.code, insn.src_reg << 4 | insn.dst_reg, (__u16)insn.off,
           (__u32)insn.imm);
  }
  printf("\n");
}

int main(int argc, char **argv) {
  int load = argc > 1 && !strcmp(argv[1], "load");
  libbpf_set_print(quiet);
  for (int i = 2; i < argc; i++) {
    struct bpf_object *object = bpf_object__open_file(argv[i], NULL);
    const char *name = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
    if (!object) {
      printf("F %s refused\n", name);
      continue;
    }
    struct bpf_program *program;
    struct bpf_map *map;
    if (load) {
      // Nothing may stay in /sys/fs/bpf.
      bpf_object__for_each_map(map, object) bpf_map__set_pin_path(map, NULL);
      int error = bpf_object__load(object);
      printf("F %s %s\n", name, error ? "refused" : "loaded");
      // After a refusal libbpf still has what it relocated, if it came so far.
      if (!error)
        bpf_object__for_each_program(program, object) if (bpf_program__autoload(program))
            print_instructions(program);
    } else {
      printf("F %s opened\n", name);
      bpf_object__for_each_map(map, object)
          printf("M %s %d %u %u %u %u\n", bpf_map__name(map), bpf_map__type(map),
                 bpf_map__key_size(map), bpf_map__value_size(map), bpf_map__max_entries(map),
                 bpf_map__map_flags(map));
      bpf_object__for_each_program(program, object)
          printf("P %s %s %d %d %d %zu\n", bpf_program__name(program),
                 bpf_program__section_name(program), bpf_program__type(program),
                 bpf_program__expected_attach_type(program), bpf_program__autoload(program),
                 bpf_program__insn_cnt(program));
    }
    bpf_object__close(object);
  }
  return 0;
}
