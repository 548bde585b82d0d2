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
    Check("with CAP_BPF and CAP_PERFMON at perf_event_paranoid 2, the profiler runs") {
      try Guest.set(setting, to: "2")
      defer { try? Guest.set(setting, to: "3") }
      let child = try StoppedProcess([Guest.cpu, "60", "stop"])
      child.resume()
      let command = try Command.run(prefix + [Guest.command, "profile", "-d", "1", "--json"])
      child.send(9)
      try equal(command.status, 0, "the status (\(command.error))")
      try require(ProfileReport(command).totals.samples > 0, command.output)
      try CheckReport(prefix: prefix).expect("privileges", "open performance events", "yes")
      try CheckReport(prefix: prefix).expect("attach", "kernel probes (kprobe)", "yes")
    },
  ]
}
