import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import TestSupport
import Testing

/// Capabilities 24 to 27 on the running kernel, against programs of known work.
@Suite(.serialized) struct SyscallTracerTests {
  private func tracer(
    of process: Int32, _ change: (inout SyscallTracerConfiguration) -> Void = { _ in }
  ) -> SyscallTracer {
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [process]
    change(&configuration)
    return SyscallTracer(configuration)
  }

  private func counts(_ summary: SyscallSummary) -> [String: UInt64] {
    Dictionary(
      uniqueKeysWithValues: summary.calls.filter { $0.count > 0 }.map { ($0.call.label, $0.count) })
  }

  @Test(arguments: [true, false])
  func `a filter that is set again keeps the processes that are followed`(follows: Bool) throws {
    let program = try StoppedProcess.workload("syscalls")
    let shell = try StoppedProcess(["/bin/sh", "-c", "kill -STOP $$; \(program); true"])
    let tracer = tracer(of: shell.id) { $0.filter.followsChildren = true }
    try tracer.start()
    shell.resume()
    var child: Int32?
    try Kernel.eventually {
      child = try stoppedChild(of: shell.id)
      return child != nil
    }
    var filter = tracer.configuration.filter
    filter.commands = ["syscalls"]
    filter.followsChildren = follows
    try tracer.setFilter(filter)
    kill(try #require(child), SIGCONT)
    #expect(try shell.wait() == 0)
    #expect(counts(try tracer.stop())["getppid"] == (follows ? 100_000 : nil))
  }

  private func stoppedChild(of process: Int32) throws -> Int32? {
    let children = try SystemFile.text("/proc/\(process)/task/\(process)/children")
    guard let child = children.split(separator: " ").first.flatMap({ Int32($0) }) else {
      return nil
    }
    return try SystemFile.text("/proc/\(child)/stat").contains(") T ") ? child : nil
  }

  @Test func `Capability 24, 25: 111,001 calls are counted, 111,000 return, 5,000 fail`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id)
    let begin = Clock.monotonic.now
    try tracer.start()
    #expect(try child.finish() == 0)
    let summary = try tracer.stop()
    let wall = Clock.monotonic.now - begin
    #expect(
      counts(summary) == ["getppid": 100_000, "openat": 8_000, "close": 3_000, "exit_group": 1])
    #expect(summary.total == 111_001)
    #expect(summary.returns == 111_000)
    #expect(summary.errors == 5_000)
    let last = try #require(summary.calls.first { $0.call.name == "exit_group" })
    #expect(last.returns == 0)
    #expect(last.unreturned == 1)
    #expect(summary.calls.reduce(0) { $0 + $1.totalNanoseconds } <= wall)
    for call in summary.calls {
      #expect(call.histogram.total == call.returns, "\(call.call.name)")
      #expect(call.maximumNanoseconds <= wall)
    }
    let all = summary.statistics
    #expect(all.dropped == 0)
    #expect(all.recorded == 111_001)
    #expect(all.seen == all.recorded + all.dropped + all.unwanted)
  }

  @Test func `the matrix has every call by process and errno`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id)
    try tracer.start()
    try child.finish()
    let summary = try tracer.stop()
    var cells: [String: UInt64] = [:]
    for cell in summary.matrix {
      guard case .process(let id, _, let command) = cell.owner else {
        Issue.record("no process: \(cell)")
        continue
      }
      #expect(id == child.id && command == "syscalls")
      cells["\(cell.call.name) \(cell.outcome)"] = cell.count
    }
    #expect(
      cells == [
        "getppid success": 100_000, "openat success": 3_000, "openat error(2)": 5_000,
        "close success": 3_000, "exit_group neverReturned": 1,
      ])
  }

  @Test func `Capability 26: statistics can be read while calls are made`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id)
    #expect(try tracer.statistics() == TracerStatistics())
    try tracer.start()
    let before = try tracer.snapshot()
    #expect(before.total == 0)
    try child.finish()
    let after = try tracer.snapshot()
    #expect(after.total == 111_001)
    #expect(after.unique == 4)
    #expect(after.errors == 5_000)
    #expect(after.since(before).total == 111_001)
    #expect(after.since(after).calls.isEmpty)
    _ = try tracer.stop()
    #expect(try tracer.statistics() == TracerStatistics())
  }

  @Test func `Capability 27: only the calls that were allowed are recorded`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id)
    try tracer.filterSyscall("openat", enabled: true)
    try tracer.start()
    try child.finish()
    let summary = try tracer.stop()
    #expect(counts(summary) == ["openat": 8_000])
    #expect(summary.statistics.recorded == 8_000)
    #expect(
      summary.statistics.seen == summary.statistics.recorded + summary.statistics.unwanted)
  }

  // MARK: - Filters

  @Test func `Capability 27: filters act in the kernel and change a running tracer`() throws {
    let first = try StoppedProcess(workload: "syscalls")
    let second = try StoppedProcess(workload: "syscalls")
    let third = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: first.id)
    #expect(try tracer.filterSyscall("openat", enabled: true) == nil)
    try tracer.start()
    try first.finish()
    #expect(counts(try tracer.snapshot()) == ["openat": 8_000])

    var filter = TracerFilter()
    filter.processes = [second.id]
    try tracer.setFilter(filter)
    try tracer.filterSyscall("openat", enabled: false)
    try tracer.filterSyscall("getppid", enabled: true)
    try second.finish()
    #expect(counts(try tracer.snapshot()) == ["openat": 8_000, "getppid": 100_000])

    try tracer.setSelection(SyscallSelection())
    try tracer.filterSyscall("getppid", enabled: false)
    filter.processes = []
    filter.commands = ["syscalls"]
    try tracer.setFilter(filter)
    try third.finish()
    let summary = try tracer.stop()
    #expect(
      counts(summary) == [
        "openat": 16_000, "getppid": 100_000, "close": 3_000, "exit_group": 1,
      ])
    #expect(summary.statistics.seen == summary.statistics.recorded + summary.statistics.unwanted)
    #if arch(x86_64)
      #expect(try SyscallTracer().filterSyscall("open", enabled: true)?.contains("openat") == true)
    #endif
    let error = #expect(throws: EBPFError.self) {
      try SyscallTracer().filterSyscall("opennat", enabled: true)
    }
    #expect(error?.message == "there is no system call 'opennat'")
  }

  @Test func `results are filtered in the kernel by failure, errno and duration`() throws {
    var failed = SyscallResultFilter()
    failed.failedOnly = true
    var missing = SyscallResultFilter()
    missing.errnos = [2]
    var denied = SyscallResultFilter()
    denied.errnos = [13, 4095]
    var slow = SyscallResultFilter()
    slow.minimumNanoseconds = 3_600_000_000_000
    let cases: [(SyscallResultFilter, [String: UInt64])] = [
      (failed, ["openat": 5_000]), (missing, ["openat": 5_000]), (denied, [:]), (slow, [:]),
    ]
    for (results, expected) in cases {
      let child = try StoppedProcess(workload: "syscalls")
      let tracer = tracer(of: child.id)
      try tracer.start()
      try tracer.setResultFilter(results)
      try child.finish()
      let summary = try tracer.stop()
      #expect(counts(summary) == expected)
      #expect(
        summary.matrix.filter { $0.outcome != .neverReturned }.reduce(0) { $0 + $1.count }
          == expected.values.reduce(0, +))
      let all = summary.statistics
      #expect(all.recorded == expected.values.reduce(0, +) && all.dropped == 0)
      #expect(all.seen == all.recorded + all.unwanted)
    }
    var wrong = SyscallResultFilter()
    wrong.errnos = [4096]
    #expect(throws: EBPFError.self) { try SyscallTracer().setResultFilter(wrong) }
  }

  @Test func `a paused tracer records nothing`() throws {
    let first = try StoppedProcess(workload: "syscalls")
    let second = try StoppedProcess(workload: "syscalls")
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [first.id, second.id]
    let tracer = SyscallTracer(configuration)
    try tracer.start()
    try tracer.pause()
    try first.finish()
    let paused = try tracer.statistics()
    #expect(paused.recorded == 0 && paused.unwanted >= 111_001)
    #expect(paused.seen == paused.unwanted)
    try tracer.resume()
    try second.finish()
    #expect(try tracer.stop().total == 111_001)
  }

  // MARK: - Nothing lost in silence

  private func manyCalls(
    _ change: (inout SyscallTracerConfiguration) -> Void
  ) throws -> SyscallSummary {
    let child = try StoppedProcess(workload: "many_calls", ["300", "40", "3"])
    let tracer = tracer(of: child.id) {
      $0.filter.followsChildren = true
      $0.results.errnos = [38]
      change(&$0)
    }
    try tracer.start()
    #expect(try child.finish() == 0)
    return try tracer.stop()
  }

  @Test func `12,000 combinations of process and call are kept exactly`() throws {
    let summary = try manyCalls { _ in }
    #expect(summary.matrix.count == 12_000)
    #expect(summary.matrix.allSatisfy { $0.count == 3 && $0.outcome == .error(38) })
    #expect(Set(summary.matrix.map(\.owner)).count == 300)
    #expect(summary.total == 36_000 && summary.statistics.dropped == 0)
  }

  @Test func `combinations that find no room are counted one by one`() throws {
    let summary = try manyCalls { $0.keys = 1_000 }
    #expect(summary.matrix.count == 1_000)
    #expect(summary.total == 36_000 && summary.errors == 36_000)
    let kept = summary.matrix.reduce(0) { $0 + $1.count }
    #expect(summary.losses.keys > 0)
    #expect(kept + summary.losses.keys == 36_000)
    let all = summary.statistics
    #expect(all.dropped == summary.losses.keys && all.recorded == kept)
    #expect(all.seen == all.recorded + all.dropped + all.unwanted)
  }

  @Test func `histograms by process add up to its calls`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id) { $0.histogramsByOwner = true }
    try tracer.start()
    try child.finish()
    let summary = try tracer.stop()
    for histogram in summary.histograms {
      let call = try #require(summary.calls.first { $0.call == histogram.call })
      #expect(histogram.counts.reduce(0, +) == call.returns)
    }
    #expect(summary.histograms.count == 3 && summary.losses.histograms == 0)
  }

  @Test func `calls by cgroup have the cgroup's path`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id) { $0.grouping = .cgroup }
    try tracer.start()
    try child.finish()
    let summary = try tracer.stop()
    let root = try ControlGroup.mountPoint()
    for cell in summary.matrix {
      guard case .cgroup(let id, let path) = cell.owner else {
        Issue.record("no cgroup: \(cell)")
        continue
      }
      #expect(try ControlGroup.id(of: root + (path ?? "")) == id)
    }
    #expect(summary.matrix.reduce(0) { $0 + $1.count } == 111_001)
  }

  // MARK: - What was there before

  @Test func `a thread that waits inside a call at the start is listed`() throws {
    let child = try StoppedProcess(["/bin/sh", "-c", "kill -STOP $$; exec sleep 1000"])
    child.resume()
    let deadline = Clock.monotonic.now + 60_000_000_000
    func isAsleep() throws -> Bool {
      let path = "/proc/\(child.id)/syscall"
      return try String(decoding: contents(ofFile: path), as: UTF8.self).hasPrefix("230 ")
    }
    #if arch(x86_64)
      while try !isAsleep() { try #require(Clock.monotonic.now < deadline) }
      let tracer = tracer(of: child.id)
      try tracer.start()
      // Stopping and going on ends the call, and starts it again as another.
      child.send(SIGSTOP)
      child.send(SIGCONT)
      while try !tracer.snapshot().calls.contains(where: { $0.call.name == "restart_syscall" }) {
        try #require(Clock.monotonic.now < deadline)
      }
      let summary = try tracer.stop()
      child.send(SIGKILL)
      #expect(summary.waitingAtStart.map(\.call.name) == ["clock_nanosleep"])
      #expect(summary.waitingAtStart.map(\.process) == [child.id])
      #expect(summary.waitingAtStart.map(\.command) == ["sleep"])
      let before = try #require(summary.calls.first { $0.call.name == "clock_nanosleep" })
      #expect(before.enteredBefore == 1 && before.count == 0)
      #expect(summary.waitingAtEnd.map(\.call.name) == ["restart_syscall"])
    #endif
  }

  #if arch(x86_64)
    @Test func `32-bit calls are kept apart`() throws {
      let child = try StoppedProcess(workload: "compat_calls")
      let tracer = tracer(of: child.id)
      try tracer.start()
      #expect(try child.finish() == 0)
      #expect(
        counts(try tracer.stop()) == ["getppid [32]": 100, "getppid": 10, "exit_group": 1])
    }
  #endif

  // MARK: - Leaving nothing

  @Test func `nothing is left in the kernel or open after stop`() async {
    // In a process of its own: others of this one open and use what they need meanwhile.
    await #expect(processExitsWith: .success) {
      let child = try StoppedProcess(workload: "syscalls")
      let before = try OpenDescriptors.count()
      let tracer = SyscallTracerTests().tracer(of: child.id) { $0.sendsEvents = true }
      try tracer.start()
      #expect(try OpenDescriptors.count() > before)
      try child.finish()
      _ = try tracer.stop()
      try OpenDescriptors.expectNoMore(than: before)
      #expect(throws: EBPFError.self) { try tracer.start() }
      #expect(throws: EBPFError.self) { try tracer.snapshot() }
    }
  }

  @Test func `the best hook is used, and said`() throws {
    let tracer = tracer(of: getpid())
    try tracer.start()
    let summary = try tracer.stop()
    let hook = try #require(summary.hooks.first { $0.need == "system calls" })
    #expect(hook.used == "tp_btf/sys_exit + tp_btf/sys_enter" && hook.refused.isEmpty)
  }
}
