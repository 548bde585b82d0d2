import EBPF
import EBPFSystem
import EBPFTracers
import TestSupport

/// Capabilities 24 to 27: the system call tracer against programs of known work, on each of its ways
/// to see calls.
enum SyscallChecks {
  /// Programs that are missing, and what is used then.
  private static let ways: [(missing: [String], used: String)] = {
    let typed = ["exit_typed", "enter_typed"]
    let raw = typed + ["exit_raw", "enter_raw"]
    let table = raw + ["exit_table", "enter_table"]
    return [
      ([], "tp_btf/sys_exit + tp_btf/sys_enter"), (typed, "raw_tp/sys_exit + raw_tp/sys_enter"),
      (raw, "raw_tp/sys_exit + raw_tp/sys_enter"),
      (
        table, "tracepoint/raw_syscalls/sys_exit + tracepoint/raw_syscalls/sys_enter"
      ),
    ]
  }()

  static let all = [
    Check("111,001 calls are counted, 111,000 return, 5,000 fail, in each way to see them") {
      for (missing, used) in ways {
        let summary = try record([Guest.syscalls], KernelWithout(programs: missing))
        try equal(hook(summary).used, used, "system calls by")
        try equal(hook(summary).refused.count, missing.count / 2, "ways refused")
        try equal(counts(summary), fixture, "calls by \(used), \(missing)")
        try equal(
          [summary.total, summary.returns, summary.errors], [111_001, 111_000, 5_000],
          "calls, returns, errors by \(used)")
        let last = summary.calls.first { $0.call.name == "exit_group" }
        try equal(last?.unreturned, 1, "calls of exit_group that did not return")
        let all = summary.statistics
        try equal(all.seen, all.recorded + all.dropped + all.unwanted, "the sum of \(all)")
        try equal(all.dropped, 0, "lost calls by \(used)")
      }
    },
    Check("of 5,000 calls that fail there is an event each, in each way to see them") {
      for (missing, used) in ways {
        let child = try StoppedProcess([Guest.syscalls])
        var configuration = SyscallTracerConfiguration()
        configuration.filter.processes = [child.id]
        configuration.sendsEvents = true
        configuration.eventRule = SyscallEventRule(failed: true)
        configuration.eventBufferBytes = 1 << 20
        let tracer = SyscallTracer(configuration, kernel: KernelWithout(programs: missing))
        try tracer.start()
        try equal(try child.finish(), 0, "the status")
        let summary = try tracer.stop()
        try equal(summary.unreadEvents.count, 5_000, "events by \(used)")
        try equal(
          summary.unreadEvents.count { $0.result == .error(2) }, 5_000, "failures by \(used)")
        try equal(summary.losses.eventsUnwanted, 106_001, "events left out by \(used)")
        try equal(summary.total, 111_001, "calls by \(used)")
        try equal(summary.statistics.dropped, 0, "lost by \(used)")
      }
    },
    Check("the matrix has every call by process and errno") {
      let summary = try record([Guest.syscalls])
      var cells: [String: UInt64] = [:]
      for cell in summary.matrix { cells["\(cell.call.name) \(cell.outcome)"] = cell.count }
      try equal(
        cells,
        [
          "getppid success": 100_000, "openat success": 3_000, "openat error(2)": 5_000,
          "close success": 3_000, "exit_group neverReturned": 1,
        ], "the matrix")
    },
    Check("12,000 combinations of process and call are kept, in storage and in the table") {
      for way in [ways[0], ways[2]] {
        let child = try StoppedProcess([Guest.manyCalls, "300", "40", "3"])
        var configuration = SyscallTracerConfiguration()
        configuration.filter.follow(child.id)
        configuration.results.errnos = [38]
        let tracer = SyscallTracer(configuration, kernel: KernelWithout(programs: way.missing))
        try tracer.start()
        try equal(try child.finish(), 0, "the status")
        let summary = try tracer.stop()
        try equal(summary.matrix.count, 12_000, "cells by \(way.used)")
        try equal(summary.total, 36_000, "calls by \(way.used)")
        try equal(summary.statistics.dropped, 0, "lost calls by \(way.used)")
      }
    },
    Check("calls of 32-bit programs are kept apart, in each way to see them") {
      for (missing, used) in ways {
        let child = try StoppedProcess([Guest.compatCalls])
        let tracer = tracer(of: child.id, KernelWithout(programs: missing))
        try tracer.start()
        try equal(try child.finish(), 0, "the status")
        try equal(
          counts(try tracer.stop()), ["getppid [32]": 100, "getppid": 10, "exit_group": 1],
          "calls by \(used), \(missing)")
      }
    },
    Check("a filter of calls acts in the kernel and changes a running tracer") {
      for (missing, used) in [ways[0], ways[2]] {
        let (first, second) = (
          try StoppedProcess([Guest.syscalls]), try StoppedProcess([Guest.syscalls])
        )
        var configuration = SyscallTracerConfiguration()
        configuration.filter.processes = [first.id, second.id]
        let tracer = SyscallTracer(configuration, kernel: KernelWithout(programs: missing))
        try tracer.filterSyscall("openat", enabled: true)
        try tracer.start()
        try equal(try first.finish(), 0, "the status")
        try equal(counts(try tracer.snapshot()), ["openat": 8_000], "calls by \(used)")
        try tracer.setSelection(SyscallSelection())
        try tracer.filterSyscall("getppid", enabled: false)
        try equal(try second.finish(), 0, "the status")
        try equal(
          counts(try tracer.stop()), ["openat": 16_000, "close": 3_000, "exit_group": 1],
          "calls by \(used)")
      }
    },
    Check("a paused system call tracer records nothing") {
      let (first, second) = (
        try StoppedProcess([Guest.syscalls]), try StoppedProcess([Guest.syscalls])
      )
      var configuration = SyscallTracerConfiguration()
      configuration.filter.processes = [first.id, second.id]
      let tracer = SyscallTracer(configuration)
      try tracer.start()
      try tracer.pause()
      try equal(try first.finish(), 0, "the status")
      try equal(try tracer.statistics().recorded, 0, "calls while paused")
      try tracer.resume()
      try equal(try second.finish(), 0, "the status")
      try equal(try tracer.stop().total, 111_001, "calls")
    },
    Check("where no way to see calls works, each refusal is named") {
      let programs = ways[3].missing + ["exit_perf", "enter_perf"]
      let before = try KernelObjects()
      let tracer = SyscallTracer(kernel: KernelWithout(programs: programs))
      let error = try refusal { try tracer.start() }
      try require(
        error.message.hasPrefix("no way to observe system calls works on this kernel: tp_btf/"),
        error.message)
      try equal(error.message.split(separator: ";").count, 4, "ways in '\(error.message)'")
      try equal(error.systemCall?.name, "EINVAL", "the errno")
      try before.requireNothingNew()
    },
  ]

  // MARK: -

  private static let fixture: [String: UInt64] = [
    "getppid": 100_000, "openat": 8_000, "close": 3_000, "exit_group": 1,
  ]

  private static func tracer(
    of process: Int32, _ kernel: any KernelInterface = LiveKernel()
  ) -> SyscallTracer {
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [process]
    return SyscallTracer(configuration, kernel: kernel)
  }

  private static func record(
    _ arguments: [String], _ kernel: any KernelInterface = LiveKernel()
  ) throws -> SyscallSummary {
    let child = try StoppedProcess(arguments)
    let tracer = tracer(of: child.id, kernel)
    try tracer.start()
    try equal(try child.finish(), 0, "the status of \(arguments)")
    return try tracer.stop()
  }

  private static func counts(_ summary: SyscallSummary) -> [String: UInt64] {
    Dictionary(
      uniqueKeysWithValues: summary.calls.filter { $0.count > 0 }.map { ($0.call.label, $0.count) })
  }

  private static func hook(_ summary: SyscallSummary) -> TracerHook {
    summary.hooks.first { $0.need == "system calls" }
      ?? TracerHook(need: "system calls", used: "not told")
  }
}
