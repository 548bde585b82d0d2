import EBPF
import EBPFSystem
import TestSupport

/// Tracepoints in their three forms, and iterators.
enum TracepointChecks {
  static let all =
    [
      ("tracepoint", "count_tracepoint", Link.Mechanism.perfEventLink),
      ("raw_tp", "count_raw_tp", .rawTracepoint), ("tp_btf", "count_tp_btf", .tracingLink),
    ].map { kind, fixture, mechanism in
      Check("\(kind) counts 111,001 system calls, and 5,000 errors by number") {
        try count(fixture, by: mechanism)
      }
    } + [
      Check("a tracepoint without bpf_link counts the same") {
        try count(
          "count_tracepoint", OlderKernel(hasEventLinks: false, hasProbeUnits: true),
          by: .perfEvent)
      },
      Check("a misspelt tracepoint names near ones") {
        let object = try Guest.load("count_tracepoint")
        let error = try refusal {
          let link = try object.program("count_enter").attach(.tracepoint("sched", "sched_swich"))
          try link.detach()
        }
        try equal(
          error, .notFound, "there is no tracepoint sched:sched_swich",
          hint: "did you mean 'sched_switch'?")
      },
      Check("the iterator of tasks prints each process once") {
        let object = try Guest.load("iterator")
        let child = try StoppedProcess([Guest.cpu, "1", "stop"])
        let link = try object.program("print_task").attachBySection()
        let text = String(decoding: try link.readIterator(), as: UTF8.self)
        let lines = text.split(separator: "\n")
        try equal(lines.filter { $0 == "\(child.id) \(child.id)" }.count, 1, "lines of the child")
        try equal(lines.filter { $0 == "1 1" }.count, 1, "lines of the first process")
        try equal(Set(lines).count, lines.count, "different lines")
        // What was there before and is there afterwards was there meanwhile.
        let processes = try FileSystem.entries("/proc").compactMap { Int32($0) }
        try require(processes.count > 20, "\(processes.count) processes")
        let printed = Set(lines.compactMap { $0.split(separator: " ").first.map(String.init) })
        let missing = processes.filter { !printed.contains(String($0)) && $0 <= child.id }
        try require(missing.allSatisfy { !isRunning($0) }, "not printed: \(missing)")
        try link.detach()
      },
    ]

  private static func isRunning(_ process: Int32) -> Bool {
    FileSystem.exists("/proc/\(process)/stat")
  }

  private static func count(
    _ fixture: String, _ kernel: any KernelInterface = LiveKernel(), by mechanism: Link.Mechanism
  ) throws {
    let object = try Guest.load(fixture, kernel: kernel)
    let child = try StoppedProcess([Guest.syscalls])
    try object.setVariable("target_tgid", to: child.id)
    let enter = try object.program("count_enter").attachBySection()
    let exit = try object.program("count_exit").attachBySection()
    try equal(enter.mechanism, mechanism, "the way")
    try equal(try child.finish(), 0, "the status of syscalls")
    let totals = try object.map("totals", key: UInt32.self, value: UInt64.self)
    try equal(
      try (0..<3).map { try totals.value(for: UInt32($0)) ?? .max }, [111_001, 111_000, 5_000],
      "enters, exits, errors")
    let enters = try PerCPUMap<UInt32, UInt64>(object.map("enters"))
    for (number, calls): (UInt32, UInt64) in [(110, 100_000), (257, 8_000), (3, 3_000), (231, 1)] {
      try equal(
        try enters.values(for: number)?.reduce(0, +), calls, "entries of system call \(number)")
    }
    let errors = try PerCPUMap<UInt32, UInt64>(object.map("errors"))
    try equal(try errors.values(for: 2)?.reduce(0, +), 5_000, "ENOENT")
    try enter.detach()
    try exit.detach()
  }
}
