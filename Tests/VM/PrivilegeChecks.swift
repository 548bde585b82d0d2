import EBPF
import EBPFSystem
import TestSupport

/// Debian sets `perf_event_paranoid` to 3, which no other kernel knows: CAP_PERFMON is not enough then.
enum PrivilegeChecks {
  private static let setting = "/proc/sys/kernel/perf_event_paranoid"
  private static let capabilities = [Capability.performanceMonitoring, .bpf]
    .map { String($0.rawValue) }.joined(separator: ",")
  private static let prefix = ["/bin/with-capabilities", capabilities]

  static let all = [
    Check("with CAP_BPF and CAP_PERFMON at perf_event_paranoid 3, the setting is named") {
      try equal(try Guest.text(setting), "3\n", "Debian's setting")
      let command = try Command.run(prefix + [Guest.command, "profile", "-d", "1"])
      try require(command.status != 0, command.output)
      for text in ["perf_event_paranoid is 3", "CAP_SYS_ADMIN", "EACCES"] {
        try require(command.error.contains(text), command.error)
      }
      let report = try CheckReport(prefix: prefix)
      try report.expect("privileges", "load tracing programs", "yes")
      try report.expect("privileges", "open performance events", "no")
      try report.expect("privileges", "list programs and maps", "no")
      let row = try report.row("privileges", "open performance events")
      try require(row.reason.contains("perf_event_paranoid is 3"), "\(row)")
      let profile = report.tracers.first { $0.name == "profile" }
      try equal(profile?.canRun, false, "profile can run")
      let syscalls = report.tracers.first { $0.name == "syscalls" }
      try equal(syscalls?.canRun, true, "syscalls can run")
    },
    Check("with CAP_BPF and CAP_PERFMON at perf_event_paranoid 3, a kprobe names the setting") {
      let command = try Command.run(
        prefix + [Guest.command, "load", "--attach", "/fixtures/count_ksyscall.bpf.o"])
      try equal(command.status, 2, "the status")
      for text in ["perf_event_paranoid is 3: only CAP_SYS_ADMIN may", "EACCES"] {
        try require(command.error.contains(text), command.error)
      }
    },
    Check("with CAP_BPF and CAP_PERFMON at perf_event_paranoid 2, the profiler runs") {
      try Guest.with(setting, "2") {
        let child = try StoppedProcess([Guest.cpu, "60", "stop"])
        child.resume()
        let command = try Command.run(prefix + [Guest.command, "profile", "-d", "1", "--json"])
        child.send(9)
        try equal(command.status, 0, "the status (\(command.error))")
        try require(ProfileReport(command).totals.samples > 0, command.output)
        let report = try CheckReport(prefix: prefix)
        try report.expect("privileges", "open performance events", "yes")
        try report.expect("attach", "kernel probes (kprobe)", "yes")
        try report.expect("attach", "user probes (uprobe)", "no")
        try report.expect("attach", "many user probes (uprobe.multi)", Guest.isOld ? "no" : "yes")
      }
    },
    Check("with CAP_BPF and CAP_PERFMON at perf_event_paranoid 2, programs count as for root") {
      try Guest.with(setting, "2") {
        try runAgain([
          "kprobe and kretprobe by the performance unit", "fexit sees arguments", "raw_tp counts",
          "tp_btf counts", "the ring buffer", "a performance buffer",
        ])
      }
    },
    Check("with CAP_BPF and CAP_PERFMON, uprobe.multi is the only way to probe a program") {
      if !Guest.isOld { return try runAgain(["uprobe.multi on a list"]) }
      let command = try Command.run(prefix + ["/bin/ebpf-vm-tests", "uprobe.multi on a list"])
      try equal(command.status, 1, "failures")
      try require(command.output.contains("CAP_SYS_ADMIN"), command.output)
    },
  ]

  /// Runs other checks with these capabilities only.
  private static func runAgain(_ names: [String]) throws {
    let command = try Command.run(prefix + ["/bin/ebpf-vm-tests"] + names)
    let passed = command.output.split(separator: "\n").count { $0.hasPrefix("ok ") }
    try require(command.status == 0 && passed == names.count, command.output + command.error)
  }
}
