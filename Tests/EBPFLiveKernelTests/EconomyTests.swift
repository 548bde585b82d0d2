import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import TestSupport
import Testing

/// What a tracer leaves out to save, against programs of known work.
///
/// Bounds are eight standard deviations of the binomial distribution: a right tracer leaves them once
/// in 10^15 runs.
@Suite(.serialized) struct EconomyTests {
  /// How far the number of picked events may be from its mean.
  private func bound(_ events: Double, oneIn n: Double) -> Double {
    8 * (events / n * (1 - 1 / n)).squareRoot()
  }

  private func tracer(of process: Int32) -> SyscallTracer {
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [process]
    return SyscallTracer(configuration)
  }

  @Test(arguments: [8, 64] as [UInt32])
  func `system calls: one in n is counted n times, the others are known`(n: UInt32) throws {
    let child = try StoppedProcess(workload: "syscalls")
    let tracer = tracer(of: child.id)
    try tracer.start()
    try tracer.economize(TracerEconomy(sampling: n))
    #expect(try child.finish() == 0)
    let summary = try tracer.stop()
    let statistics = summary.statistics
    #expect(statistics.dropped == 0)
    #expect(statistics.recorded + statistics.sampledOut == 111_001)
    #expect(statistics.seen == statistics.recorded + statistics.dropped + statistics.unwanted)
    #expect(
      abs(Double(statistics.recorded) - 111_001 / Double(n)) < bound(111_001, oneIn: Double(n)))
    // Every sum is an estimate of the truth, and they agree with one another.
    #expect(summary.total == UInt64(n) * statistics.recorded)
    for (name, truth, errors) in [("getppid", 100_000.0, 0.0), ("openat", 8_000, 5_000)] {
      let call = try #require(summary.calls.first { $0.call.name == name })
      #expect(call.count % UInt64(n) == 0 && call.count == call.returns)
      #expect(abs(Double(call.count) - truth) < Double(n) * bound(truth, oneIn: Double(n)))
      #expect(abs(Double(call.errors) - errors) <= Double(n) * bound(errors, oneIn: Double(n)))
      #expect(call.histogram.total == call.returns)
      let cells = summary.matrix.filter { $0.call.name == name }
      #expect(cells.reduce(0) { $0 + $1.count } == call.count)
      #expect(cells.reduce(0) { $0 + $1.totalNanoseconds } == call.totalNanoseconds)
    }
    #expect(summary.calls.allSatisfy { $0.enteredBefore == 0 })
  }

  @Test func `system calls: a factor that changes keeps sums right`() throws {
    let child = try StoppedProcess(workload: "rounds", ["4", "20000"])
    let tracer = tracer(of: child.id)
    try tracer.filterSyscall("getppid", enabled: true)
    try tracer.start()
    for n in [1, 4, 16] as [UInt32] {
      try tracer.economize(TracerEconomy(sampling: n))
      try child.resumeUntilStopped()
    }
    try tracer.economize(TracerEconomy())
    #expect(try child.finish() == 0)
    let summary = try tracer.stop()
    #expect(summary.statistics.recorded + summary.statistics.sampledOut == 80_000)
    #expect(summary.statistics.dropped == 0)
    // Two rounds are exact, the variances of the others add up.
    let deviation = (20_000.0 * 3 + 20_000 * 15).squareRoot()
    #expect(abs(Double(summary.total) - 80_000) < 8 * deviation)
  }

  @Test func `system calls: while suspended nothing is attached, and nothing is seen`() throws {
    let child = try StoppedProcess(workload: "rounds", ["3", "1000"])
    let tracer = tracer(of: child.id)
    try tracer.filterSyscall("getppid", enabled: true)
    try tracer.start()
    let links = try ownLinks()
    try child.resumeUntilStopped()
    try tracer.economize(.suspended)
    #expect(try ownLinks() == links - 2)
    let before = try tracer.statistics()
    try child.resumeUntilStopped()
    #expect(try tracer.statistics().seen == before.seen)
    try tracer.economize(TracerEconomy())
    #expect(try ownLinks() == links)
    #expect(try child.finish() == 0)
    let summary = try tracer.stop()
    #expect(summary.total == 2_000)
    #expect(summary.statistics.sampledOut == 0)
  }

  @Test func `system calls: one that was entered before a suspension has no end`() throws {
    let child = try StoppedProcess(workload: "rounds", ["3", "1000"])
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [child.id]
    configuration.sendsEvents = true
    let tracer = SyscallTracer(configuration)
    try tracer.filterSyscall("getppid", enabled: true)
    try tracer.filterSyscall("tgkill", enabled: true)
    try tracer.start()
    // Stops inside tgkill, whose return is seen before; what follows is another round's.
    try child.resumeUntilStopped()
    try tracer.economize(.suspended)
    try child.resumeUntilStopped()
    try tracer.economize(TracerEconomy())
    try child.finish()
    let summary = try tracer.stop()
    let calls = Dictionary(uniqueKeysWithValues: summary.calls.map { ($0.call.name, $0.count) })
    #expect(calls["getppid"] == 2_000)
    #expect(summary.calls.allSatisfy { $0.maximumNanoseconds < 1_000_000_000 })
  }

  @Test func `system calls: short events are spared and counted all the same`() throws {
    let child = try StoppedProcess(workload: "rounds", ["2", "1000"])
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [child.id]
    configuration.sendsEvents = true
    let tracer = SyscallTracer(configuration)
    try tracer.filterSyscall("getppid", enabled: true)
    try tracer.start()
    try child.resumeUntilStopped()
    // No getppid() takes an hour.
    try tracer.economize(TracerEconomy(sampling: 1, minimumEventNanoseconds: 3_600_000_000_000))
    #expect(try child.finish() == 0)
    let summary = try tracer.stop()
    #expect(summary.total == 2_000 && summary.statistics.recorded == 2_000)
    #expect(summary.losses.eventsSent == 1_000 && summary.losses.eventsSpared == 1_000)
    #expect(summary.unreadEvents.count == 1_000)
    #expect(summary.unreadEvents.allSatisfy { $0.weight == 1 })
  }

  @Test func `memory: one allocation in n stands for n, freed or not`() throws {
    let child = try StoppedProcess(workload: "memory")
    var configuration = MemoryTracerConfiguration()
    configuration.allocations = .exact
    configuration.filter.processes = [child.id]
    let tracer = MemoryTracer(configuration)
    try tracer.start()
    try tracer.economize(TracerEconomy(sampling: 4))
    #expect(try child.finish() == 0)
    let result = try tracer.stop()
    let totals = result.totals
    let picked = Double(totals.allocations) / 4
    #expect(totals.allocations % 4 == 0 && totals.frees % 4 == 0)
    #expect(abs(picked - 250) < bound(1000, oneIn: 4))
    #expect(totals.allocations == totals.frees + totals.activeAllocations)
    #expect(totals.allocatedBytes == totals.freedBytes + totals.currentBytes)
    #expect(totals.currentBytes == 4 * result.blocks.reduce(0) { $0 + $1.size })
    #expect(totals.unknownFrees == 0)
    // Σ size² (n − 1) is the variance of the bytes.
    let variance = (1...1000).reduce(0.0) { $0 + Double($1 * $1) * 3 }
    #expect(abs(Double(totals.allocatedBytes) - 500_500) < 8 * variance.squareRoot())
    let statistics = result.statistics
    #expect(statistics.seen == statistics.recorded + statistics.dropped + statistics.unwanted)
    // The allocations and the frees that were not picked, and page faults.
    #expect(Double(statistics.sampledOut) >= 1900 - 2 * picked)
    #expect(statistics.dropped == 0)
  }

  @Test func `memory: page faults are sampled, mappings are not`() throws {
    let child = try StoppedProcess(workload: "everything")
    var configuration = MemoryTracerConfiguration()
    configuration.filter.processes = [child.id]
    let tracer = MemoryTracer(configuration)
    try tracer.start()
    try tracer.economize(TracerEconomy(sampling: 4))
    #expect(try child.finish() == 0)
    let result = try tracer.stop()
    let process = try #require(result.processes.first { $0.process == child.id })
    #expect(process.maps == 10 && process.mappedBytes == 10 << 20)
    // 2560 pages are touched one by one; a few more faults are the program's own.
    #expect(abs(Double(process.faults) - 2560) < 4 * bound(2560, oneIn: 4) + 200)
    #expect(process.faults % 4 == 0)
    let statistics = result.statistics
    #expect(statistics.seen == statistics.recorded + statistics.dropped + statistics.unwanted)
    #expect(statistics.sampledOut > 1500)
  }

  @Test func `network: one datagram in n is counted n times; connections are exact`() throws {
    let child = try StoppedProcess(workload: "everything")
    var configuration = NetworkTracerConfiguration()
    configuration.filter.processes = [child.id]
    let tracer = NetworkTracer(configuration)
    try tracer.start()
    try tracer.economize(TracerEconomy(sampling: 8))
    #expect(try child.finish() == 0)
    let result = try tracer.stop()
    let totals = result.totals
    #expect(totals.connects == 50 && totals.accepts == 50)
    #expect(totals.messagesSent % 8 == 0 && totals.messagesReceived % 8 == 0)
    let messages = Double(totals.messagesSent + totals.messagesReceived) / 8
    #expect(abs(messages - 4_000 / 8) < bound(4_000, oneIn: 8))
    #expect(
      totals.bytesSent + totals.bytesReceived == 50 * 2 * 20_100
        + 512 * (totals.messagesSent + totals.messagesReceived))
    let statistics = result.statistics
    #expect(UInt64(messages) + statistics.sampledOut == 4_000)
    #expect(statistics.seen == statistics.recorded + statistics.dropped + statistics.unwanted)
  }

  /// What is at all calls for the sake of 32-bit programs goes with the rest, and comes back.
  @Test(arguments: [false, true])
  func `memory: while suspended nothing is at all calls`(meetsLater: Bool) throws {
    let child = try StoppedProcess(workload: "mappings-32")
    var configuration = MemoryTracerConfiguration()
    configuration.filter.processes = [meetsLater ? getpid() : child.id]
    configuration.includesSelf = true
    let tracer = MemoryTracer(configuration)
    try tracer.start()
    let attached = try ownLinks()
    if meetsLater {
      try tracer.economize(.suspended)
      var filter = TracerFilter()
      filter.processes = [child.id]
      try tracer.setFilter(filter)
      #expect(try tracer.hooks().contains { $0.need == "mappings of 32-bit programs" })
      try tracer.economize(TracerEconomy())
      #expect(try ownLinks() == attached + 2)
    } else {
      try tracer.economize(.suspended)
      #expect(try ownLinks() <= attached - 4)
      try tracer.economize(TracerEconomy())
      #expect(try ownLinks() == attached)
    }
    #expect(try child.finish() == 0)
    let recording = try tracer.stop()
    let growth = try #require(recording.processes.first { $0.process == child.id })
    #expect(growth.maps == 15 && growth.unmaps == 5 && recording.unwatchedPrograms == 0)
  }

  @Test(arguments: ["syscalls", "memory", "network", "profile"])
  func `a thousand pauses and a hundred suspensions keep the descriptors`(name: String) throws {
    // The profiler opens the files of programs that it meets: here it meets none.
    let child = try StoppedProcess(workload: "syscalls")
    var configuration = CPUProfilerConfiguration()
    configuration.filter.processes = [child.id]
    let tracer: any Tracer =
      switch name {
      case "syscalls": SyscallTracer()
      case "memory": MemoryTracer()
      case "network": NetworkTracer()
      default: CPUProfiler(configuration)
      }
    try tracer.start()
    let before = try OpenDescriptors.count()
    for _ in 0..<1000 {
      try tracer.pause()
      try tracer.resume()
    }
    for _ in 0..<100 {
      try tracer.economize(.suspended)
      try tracer.economize(TracerEconomy())
    }
    try OpenDescriptors.expectNoMore(than: before)
    #expect(!tracer.isPaused)
    _ = try tracer.stop()
  }

  private func ownLinks() throws -> Int {
    try FileSystem.entries("/proc/self/fdinfo").count { name in
      ((try? SystemFile.text("/proc/self/fdinfo/\(name)")) ?? "").contains("link_id:")
    }
  }
}
