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
}
