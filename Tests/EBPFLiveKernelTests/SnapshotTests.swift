import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import Profiles
import TestSupport
import Testing

/// Results so far, while a tracer goes on.
@Suite struct SnapshotTests {
  private func samples(_ profile: Profile) -> UInt64 {
    profile.samples.reduce(0) { $0 + UInt64($1.values[0]) }
  }

  @Test func `profiler: each sample is in one interval, and all of them are in the result`() throws
  {
    let child = try StoppedProcess(workload: "cpu", ["60", "stop"])
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = 499
    configuration.filter.processes = [child.id]
    let profiler = CPUProfiler(configuration)
    #expect(throws: EBPFError.self) { try profiler.snapshot() }
    try profiler.start()
    child.resume()
    var mark: CPUProfileMark?
    var intervals: [UInt64] = []
    let deadline = Clock.monotonic.now + 60_000_000_000
    // Intervals without a sample are whole answers, too.
    while intervals.count(where: { $0 > 0 }) < 5 {
      try #require(Clock.monotonic.now < deadline, "no samples for a minute: \(intervals)")
      let snapshot = try profiler.snapshot(since: mark)
      mark = snapshot.mark
      intervals.append(samples(snapshot.profile.profile))
      sched_yield()
    }
    child.send(SIGKILL)
    try child.wait()
    let last = try profiler.snapshot(since: mark)
    #expect(samples(try profiler.snapshot(since: last.mark).profile.profile) == 0)
    let whole = try profiler.snapshot()
    #expect(whole.profile.profile.frames.contains { $0.name == "hot_b" })
    let result = try profiler.stop()
    #expect(intervals.reduce(0, +) + samples(last.profile.profile) == result.statistics.recorded)
    #expect(samples(whole.profile.profile) == result.statistics.recorded)
    #expect(throws: EBPFError.self) { try profiler.snapshot() }
  }

  @Test func `memory: what is there so far is exact once the process rests`() throws {
    let child = try StoppedProcess(workload: "memory")
    var configuration = MemoryTracerConfiguration()
    configuration.allocations = .exact
    configuration.filter.processes = [child.id]
    let tracer = MemoryTracer(configuration)
    try tracer.start()
    #expect(try tracer.snapshot().totals.allocations == 0)
    try child.finish()
    let so = try tracer.snapshot()
    let end = try tracer.stop()
    for totals in [so.totals, end.totals] {
      #expect(totals.allocations == 1000 && totals.allocatedBytes == 500_500)
      #expect(totals.frees == 900 && totals.freedBytes == 405_450)
      #expect(totals.activeAllocations == 100 && totals.currentBytes == 95_050)
    }
    #expect(so.blocks.map(\.address).sorted() == end.blocks.map(\.address).sorted())
    #expect(so.sites.map(\.bytes) == end.sites.map(\.bytes))
  }
}
