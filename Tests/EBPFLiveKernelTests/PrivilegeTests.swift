import EBPF
import EBPFSystem
import Glibc
import TestSupport
import Testing

/// Capability 4: what the check says a process may do is what the kernel lets it do.
///
/// The check runs in this test program, started again with other privileges; a C program makes the
/// plain system calls with the same.
@Suite struct PrivilegeTests {
  static let who: [[String]] = [
    ["setpriv", "--bounding-set=-all", "--inh-caps=-all"],
    ["setpriv", "--bounding-set=-all,+bpf"],
    ["setpriv", "--bounding-set=-all,+perfmon"],
    ["setpriv", "--bounding-set=-all,+bpf,+perfmon"],
    ["setpriv", "--bounding-set=-all,+bpf,+net_admin"],
    ["setpriv", "--bounding-set=-all,+sys_admin"],
    ["env"],
    ["unshare", "-Ur"],
  ]

  @Test(arguments: who)
  func `Capability 4: the verdicts are what plain system calls experience`(prefix: [String]) throws
  {
    let oracle = try Oracle.build(name: "privilege_calls", source: Self.source, libraries: [])
    let truth = try Command.output(prefix + [oracle])
    let program = try FileSystem.link("/proc/self/exe")
    let report = try Command.run(
      prefix + [
        "env", "EBPF_PRIVILEGE_REPORT=1", program, "--testing-library",
        "swift-testing", "--filter", "PrivilegeReport",
      ])
    let rows = report.output.split(separator: "\n").filter { $0.hasPrefix("privileges|") }
    let verdicts = Dictionary(
      uniqueKeysWithValues: rows.map { row in
        let fields = row.split(separator: "|", omittingEmptySubsequences: false)
        return (String(fields[1]), (verdict: String(fields[2]), remedy: String(fields[3])))
      })
    try #require(verdicts.count >= 8, "\(report.output)\(report.error)")
    var compared = 0
    for line in truth.split(separator: "\n") {
      let fields = line.split(separator: "|")
      let found = try #require(verdicts[String(fields[0])])
      #expect(found.verdict == fields[1], "\(prefix): \(line)")
      if found.verdict == "no" { #expect(!found.remedy.isEmpty, "\(prefix): \(line)") }
      compared += 1
    }
    #expect(compared == 6)
  }

  private static let source = #"""
    #include <linux/bpf.h>
    #include <linux/perf_event.h>
    #include <stdio.h>
    #include <string.h>
    #include <sys/syscall.h>
    #include <unistd.h>

    static int bpf(int command, union bpf_attr *attr) {
      return syscall(SYS_bpf, command, attr, sizeof(*attr));
    }
    static void say(const char *name, int result) {
      printf("%s|%s\n", name, result < 0 ? "no" : "yes");
    }
    static int load(int type) {
      static const struct bpf_insn program[] = {{.code = 0xb7}, {.code = 0x95}};
      union bpf_attr attr;
      memset(&attr, 0, sizeof attr);
      attr.prog_type = type;
      attr.insns = (unsigned long)program;
      attr.insn_cnt = 2;
      attr.license = (unsigned long)"GPL";
      return bpf(BPF_PROG_LOAD, &attr);
    }
    int main(void) {
      say("load programs", load(BPF_PROG_TYPE_SOCKET_FILTER));
      say("load tracing programs", load(BPF_PROG_TYPE_RAW_TRACEPOINT));
      say("load network programs", load(BPF_PROG_TYPE_XDP));
      struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof event,
        .config = PERF_COUNT_SW_CPU_CLOCK, .sample_period = 1000000000, .disabled = 1};
      say("open performance events", syscall(SYS_perf_event_open, &event, -1, 0, -1, 0));
      union bpf_attr attr;
      memset(&attr, 0, sizeof attr);
      say("run-time statistics", bpf(BPF_ENABLE_STATS, &attr));
      memset(&attr, 0, sizeof attr);
      say("list programs and maps", bpf(BPF_PROG_GET_NEXT_ID, &attr));
    }
    """#
}

@Suite struct PrivilegeReport {
  /// Not a test of its own: what ``PrivilegeTests`` starts with other privileges.
  @Test(.enabled(if: getenv("EBPF_PRIVILEGE_REPORT") != nil))
  func `print what this process may do`() {
    for row in SystemCheck.run().rows where row.group == "privileges" {
      print("privileges|\(row.name)|\(row.verdict)|\(row.remedy ?? "")")
    }
  }
}
