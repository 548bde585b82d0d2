// Which helpers the running kernel keeps for GPL-compatible programs: prints their numbers.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct { enum bpf_prog_type type; enum bpf_attach_type attach; const char *target; } kinds[] = {
  {BPF_PROG_TYPE_KPROBE}, {BPF_PROG_TYPE_TRACEPOINT}, {BPF_PROG_TYPE_PERF_EVENT},
  {BPF_PROG_TYPE_RAW_TRACEPOINT}, {BPF_PROG_TYPE_SOCKET_FILTER}, {BPF_PROG_TYPE_XDP},
  {BPF_PROG_TYPE_SCHED_CLS}, {BPF_PROG_TYPE_CGROUP_SKB}, {BPF_PROG_TYPE_SOCK_OPS},
  {BPF_PROG_TYPE_SK_SKB}, {BPF_PROG_TYPE_SK_MSG}, {BPF_PROG_TYPE_LWT_XMIT},
  {BPF_PROG_TYPE_LWT_SEG6LOCAL}, {BPF_PROG_TYPE_SYSCALL}, {BPF_PROG_TYPE_LIRC_MODE2},
  {BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL},
  {BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT},
  {BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT},
  {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT},
  {BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP},
  {BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "btf_trace_sched_switch"},
  {BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "bpf_iter_task"},
};

int main(void) {
  static char log[65536];
  struct btf *btf = btf__load_vmlinux_btf();
  for (int helper = 1; helper <= 211; helper++) {
    int restricted = 0, known = 0;
    for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
      struct bpf_insn code[] = {{.code = 0x85, .imm = helper}, {.code = 0xb7}, {.code = 0x95}};
      LIBBPF_OPTS(bpf_prog_load_opts, options, .log_buf = log, .log_size = sizeof(log),
                  .log_level = 1, .expected_attach_type = kinds[k].attach);
      if (kinds[k].target)
        options.attach_btf_id = btf__find_by_name_kind(
            btf, kinds[k].target,
            kinds[k].attach == BPF_TRACE_ITER ? BTF_KIND_FUNC : BTF_KIND_TYPEDEF);
      if (kinds[k].type == BPF_PROG_TYPE_SYSCALL) options.prog_flags = 1 << 4;
      log[0] = 0;
      int fd = bpf_prog_load(kinds[k].type, NULL, "Proprietary", code, 3, &options);
      if (fd >= 0) { known = 1; close(fd); continue; }
      if (strstr(log, "GPL")) restricted = 1, known = 1;
      else if (log[0] && !strstr(log, "unknown func") && !strstr(log, "program of this type cannot")) known = 1;
    }
    printf("%d %s\n", helper, restricted ? "restricted" : known ? "free" : "unknown");
  }
  return 0;
}
