import Glibc
import TestSupport
import Testing

@Suite struct CheckTests {
  @Test func `every row has a verdict, and a no says why`() throws {
    let document = try EBPF.json(["check"])
    #expect(document.keys == ["kernel", "compatible", "rows", "tracers"])
    #expect(document["compatible"].bool == true)
    let release = try Command.output(["uname", "-r"]).dropLast()
    #expect(document["kernel"]["release"].text == String(release))
    let rows = document["rows"].list
    #expect(rows.count > 50)
    for row in rows {
      #expect(row.keys == ["group", "name", "verdict", "reason", "remedy"])
      #expect(["yes", "no", "unknown"].contains(row["verdict"].text))
      #expect(row["verdict"].text == "yes" || row["reason"].text?.isEmpty == false, "\(row)")
    }
    let tracers = document["tracers"].list.compactMap { $0["name"].text }
    #expect(Set(tracers) == ["profile", "network", "syscalls", "memory"])
  }

  @Test func `an old kernel is incompatible`() throws {
    let old = ["setarch", "x86_64", "--uname-2.6"]
    let release = try Command.output(old + ["uname", "-r"]).dropLast()
    #expect(release.hasPrefix("2.6."))
    let check = try EBPF.run(["check"], by: old)
    #expect(check.status == 1)
    #expect(check.output.hasPrefix("Linux \(release)"))
    #expect(check.output.contains("(\(release))\n"))
    #expect(check.output.hasSuffix("under 'kernel' and 'privileges'\n"))
  }

  @Test func `marks are for locales that have them`() throws {
    let unicode = try EBPF.run(["check"], environment: ["LC_ALL": "C.UTF-8"]).output
    let plain = try EBPF.run(["check"], environment: ["LC_ALL": "C"]).output
    #expect(unicode.contains("✓ yes "))
    #expect(plain.contains("\n  yes ") && plain.allSatisfy(\.isASCII))
  }

  @Test func `tracers asked for decide the status`() throws {
    #expect(try EBPF.run(["check", "--for", "profile,syscalls"]).status == 0)
    #expect(try EBPF.run(["check", "--for", "profile", "--for", "memory"]).status == 0)
    let unknown = try EBPF.run(["check", "--for", "profile,profiler"])
    #expect(unknown.status == 64)
    #expect(unknown.error.contains("there is no tracer 'profiler'"))
    let directory = try TemporaryDirectory()
    let binary = try EBPF.copy(in: directory)
    let user = try Command.run(EBPF.nobody() + [binary, "check", "--for", "profile"])
    #expect(user.status == 1)
    #expect(user.output.contains("not compatible"))
  }

  // MARK: - Types

  static func row(_ name: String, by starter: [String]) throws -> JSONValue {
    let command = try EBPF.run(["check", "--json"], by: starter)
    let rows = try JSONValue(parsing: command.output)["rows"].list
    return try #require(rows.first { $0["name"].text == name }, "\(command.error)")
  }

  @Test func `missing and unreadable types are told apart`() throws {
    let hidden = try Self.row("BTF", by: EBPF.inMounts("mount -t tmpfs none /sys/kernel/btf"))
    #expect(hidden["verdict"].text == "no")
    #expect(hidden["remedy"].text?.isEmpty == false)
    let directory = try TemporaryDirectory()
    let cut = Array(try contents(ofFile: "/sys/kernel/btf/vmlinux").prefix(100_000))
    let file = try directory.write(cut, to: "cut.btf")
    let damaged = try Self.row(
      "BTF", by: EBPF.inMounts("mount --bind \(file) /sys/kernel/btf/vmlinux"))
    #expect(damaged["verdict"].text == "no")
    #expect(damaged["reason"] != hidden["reason"])
  }

  // MARK: - Privileges

  /// Tries what the rows are about, and prints a line for each.
  static let oracle = """
    #include <errno.h>
    #include <linux/bpf.h>
    #include <linux/perf_event.h>
    #include <stdio.h>
    #include <string.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    static int load(int type) {
      struct bpf_insn code[] = {{.code = 0xb7}, {.code = 0x95}};
      union bpf_attr attr;
      memset(&attr, 0, sizeof attr);
      attr.prog_type = type;
      attr.insns = (unsigned long)code;
      attr.insn_cnt = 2;
      attr.license = (unsigned long)"GPL";
      return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
    }
    int main(void) {
      struct perf_event_attr clock = {.type = PERF_TYPE_SOFTWARE, .size = sizeof clock,
        .config = PERF_COUNT_SW_CPU_CLOCK, .sample_period = 1000000000, .disabled = 1};
      unsigned start = 0;
      union bpf_attr next;
      memset(&next, 0, sizeof next);
      next.start_id = start;
      int listed = syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &next, sizeof next);
      printf("load programs=%s\\n", load(BPF_PROG_TYPE_SOCKET_FILTER) >= 0 ? "yes" : "no");
      printf("load tracing programs=%s\\n", load(BPF_PROG_TYPE_RAW_TRACEPOINT) >= 0 ? "yes" : "no");
      printf("load network programs=%s\\n", load(BPF_PROG_TYPE_XDP) >= 0 ? "yes" : "no");
      printf("open performance events=%s\\n",
        syscall(SYS_perf_event_open, &clock, -1, 0, -1, 0) >= 0 ? "yes" : "no");
      printf("list programs and maps=%s\\n", listed == 0 || errno == ENOENT ? "yes" : "no");
      return 0;
    }
    """

  static let privileges: [(name: String, starter: [String])] = [
    ("none", EBPF.nobody()),
    ("bpf", EBPF.nobody(with: ["bpf"])),
    ("perfmon", EBPF.nobody(with: ["perfmon"])),
    ("bpf and perfmon", EBPF.nobody(with: ["bpf", "perfmon"])),
    ("bpf and net_admin", EBPF.nobody(with: ["bpf", "net_admin"])),
    ("sys_admin", EBPF.nobody(with: ["sys_admin"])),
    ("root with bpf and perfmon", EBPF.root(with: ["bpf", "perfmon"])),
    ("root", []),
    ("root of a user namespace", ["unshare", "-Ur", "--"]),
  ]

  @Test(arguments: privileges)
  func `its verdicts are what a program experiences`(
    privilege: (name: String, starter: [String])
  ) throws {
    let directory = try TemporaryDirectory()
    let binary = try EBPF.copy(in: directory)
    let built = try Oracle.build(name: "privileges", source: Self.oracle, libraries: [])
    let oracle = directory.file("oracle")
    _ = try Command.output(["install", "-m", "0755", built, oracle])

    let expected = try Command.output(privilege.starter + [oracle])
    let check = try Command.run(privilege.starter + [binary, "check", "--json"])
    let all = try JSONValue(parsing: check.output)["rows"].list
    let rows = all.filter { $0["group"].text == "privileges" }
    for line in expected.split(separator: "\n") {
      let parts = line.split(separator: "=")
      let row = rows.first { $0["name"].text == String(parts[0]) }
      #expect(row?["verdict"].text == String(parts[1]), "\(privilege.name): \(line)")
      if parts[1] == "no" { #expect(row?["remedy"].text?.isEmpty == false, "\(line)") }
    }
    let canLoad = expected.contains("load programs=yes")
    // What could not be tried is not denied: this kernel has every kind of type.
    let kinds = all.filter { $0["group"].text == "types" }.map { $0["verdict"].text }
    #expect(Set(kinds) == [canLoad ? "yes" : "unknown"], "\(privilege.name)")
    #expect(check.status == (canLoad ? 0 : 1))
  }

  @Test func `CAP_BPF alone is told that it cannot trace`() throws {
    let directory = try TemporaryDirectory()
    let binary = try EBPF.copy(in: directory)
    let check = try Command.run(EBPF.nobody(with: ["bpf"]) + [binary, "check", "--json"])
    let row = try JSONValue(parsing: check.output)["rows"].list.first {
      $0["name"].text == "load tracing programs"
    }
    #expect(row?["verdict"].text == "no")
    #expect(row?["remedy"].text?.hasSuffix("this process lacks CAP_PERFMON") == true)
  }
}
