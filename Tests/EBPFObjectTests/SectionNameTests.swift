import EBPFObject
import TestSupport
import Testing

@Suite struct SectionNameTests {
  @Test(arguments: [
    ("kprobe", ProgramType.kprobe, ""), ("kprobe/tcp_connect", .kprobe, "tcp_connect"),
    ("tracepoint/sched/sched_switch", .tracepoint, "sched/sched_switch"),
    ("tp/sched/sched_switch", .tracepoint, "sched/sched_switch"),
    ("uprobe/libc.so.6:malloc", .kprobe, "libc.so.6:malloc"),
    ("uprobe//bin/bash:readline", .kprobe, "/bin/bash:readline"),
    ("cgroup/connect4", .cgroupSocketAddress, ""), ("xdp", .xdp, ""), ("xdp/devmap", .xdp, ""),
    ("tc", .schedulerClassifier, ""), ("tc/ingress", .schedulerClassifier, ""),
    ("fentry/tcp_connect", .tracing, "tcp_connect"), ("kprobe/", .kprobe, ""),
  ])
  func `a known name gives its type and target`(name: String, type: ProgramType, target: String) {
    let section = SectionName(name)
    #expect(section.programType == type)
    #expect(section.target == target)
    #expect(section.autoload)
  }

  @Test(arguments: [
    "xdp/foo", "xdp_drop", "tc/foo", "classifier/x", "cgroup/connect4/x", "kprobes", "kprobe_x",
    "", "?", "/", "perf_event/x", "syscall/x", "tracepoints/a/b",
  ])
  func `a name is matched whole unless it takes a target`(name: String) {
    #expect(SectionName(name).row == nil)
    #expect(SectionName(name).programType == .unspecified)
  }

  @Test func `a question mark turns loading off and nothing else`() {
    let section = SectionName("?kprobe.multi/tcp_*")
    #expect(!section.autoload)
    #expect(section.programType == .kprobe)
    #expect(section.attachType == .traceKprobeMulti)
    #expect(section.target == "tcp_*")
    #expect(!SectionName("?unknown").autoload)
  }

  @Test func `load flags follow the suffix`() {
    #expect(SectionName("fentry.s/x").loadFlags == 1 << 4)
    #expect(SectionName("xdp.frags").loadFlags == 1 << 5)
    #expect(SectionName("fentry/x").loadFlags == 0)
    #expect(SectionName("syscall").loadFlags == 1 << 4)
  }

  @Test func `only BTF programs must have a target`() {
    #expect(SectionName("fentry").lacksTarget)
    #expect(!SectionName("fentry/x").lacksTarget)
    #expect(!SectionName("kprobe").lacksTarget)
    for row in SectionTable.rows {
      #expect((row.target == .required) == row.flags.contains(.attachBTF), "\(row.name)")
    }
  }

  @Test(arguments: [
    ("xdp_drop", "xdp"), ("kprobs/x", "kprobe"), ("tracepoin/a/b", "tracepoint"),
    ("xdp.frag", "xdp"), ("cgroup/connect5", "cgroup/connect4"),
  ])
  func `an unknown name suggests a near one`(name: String, near: String) {
    let suggestion = SectionName(name).suggestion
    if name == "cgroup/connect5" {
      #expect(suggestion == nil || suggestion == near)
    } else {
      #expect(suggestion == near)
    }
  }

  @Test func `every name of the installed libbpf means the same here`() throws {
    let program = """
      #include <stdio.h>
      #include <bpf/libbpf.h>
      static int quiet(enum libbpf_print_level l, const char *f, va_list a) { return 0; }
      int main(void) {
        char name[256];
        libbpf_set_print(quiet);
        while (scanf("%255s", name) == 1) {
          enum bpf_prog_type type; enum bpf_attach_type attach;
          int r = libbpf_prog_type_by_name(name, &type, &attach);
          if (r) printf("%s unknown\\n", name); else printf("%s %d %d\\n", name, type, attach);
        }
        return 0;
      }
      """
    let oracle = try Oracle.build(name: "section_names", source: program)
    let names = SectionTable.rows.flatMap { [$0.name, $0.name + "/target"] }
    let lines = try Command.output([oracle], input: Array(names.joined(separator: "\n").utf8))
    var known = 0
    var knowsName = false
    for (name, line) in zip(names, lines.split(separator: "\n")) {
      let parts = line.split(separator: " ").map(String.init)
      let section = SectionName(name)
      guard parts[1] != "unknown" else {
        // Where libbpf knows the bare name, it must agree that no target may follow.
        if name.hasSuffix("/target"), knowsName { #expect(section.row == nil, "\(line)") }
        knowsName = false
        continue
      }
      known += 1
      knowsName = true
      #expect(section.programType.rawValue == UInt32(parts[1]), "\(line)")
      #expect(section.attachType.rawValue == UInt32(parts[2]), "\(line)")
    }
    // libbpf 1.1.2 has 93 rows; the ones that take a target count twice.
    #expect(known > 110)
  }
}
