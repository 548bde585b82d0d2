import EBPFSystem
import EBPFTracers
import Glibc
import Profiles
import TestSupport
import Testing

/// Who grows, on the running kernel, against programs of known work.
@Suite(.serialized) struct MemoryGrowthTests: AllocationTracing {
  @Test func `a thousand touched pages are a thousand faults and four megabytes`() throws {
    let pages = 1000
    let child = try StoppedProcess(workload: "allocations", ["touch", String(pages)])
    let tracer = tracer(of: child.id) {
      $0.allocations = .none
      $0.faultPeriod = 1
    }
    try tracer.start()
    try child.resumeUntilStopped()
    let recording = try tracer.stop()
    child.send(SIGKILL)
    let growth = try #require(recording.processes.first { $0.process == child.id })
    #expect(growth.isExisting && !growth.hasEnded)
    // A few more, of code and stack that the program had not used before.
    #expect(growth.faults >= UInt64(pages) && growth.faults < UInt64(pages) + 40)
    #expect(growth.maps == 1)
    #expect(growth.mappedBytes == UInt64(pages) * 4096)
    #expect(growth.growth >= Int64(pages) * 4096)
    #expect(growth.growth < Int64(pages + 100) * 4096)
    let faults = recording.sites.filter { $0.kind == .fault }
    #expect(faults.reduce(0) { $0 + $1.count } == growth.faults)
    let touched = try #require(faults.first)
    let stack = recording.profile.stacks[touched.stack].map { recording.profile.frames[$0].name }
    #expect(stack.first == "main" || stack.first == "touch")
    #expect(touched.count >= UInt64(pages))
    let mapped = recording.sites.filter { $0.kind == .map }
    #expect(mapped.map(\.bytes) == [UInt64(pages) * 4096])
    expectBalance(recording)
  }

  /// The tracepoints of four calls, and what there is without tracefs: those of all calls. 32-bit
  /// programs have calls of their own, which only the latter see.
  @Test(arguments: ["mappings", "mappings-32"], [false, true])
  func `mappings and the break are counted call by call`(
    workload: String, withoutBest: Bool
  ) throws {
    let child = try StoppedProcess(workload: workload)
    var configuration = MemoryTracerConfiguration()
    configuration.filter.processes = [child.id]
    let missing = withoutBest ? ["memory_munmap_exit"] : []
    let tracer = MemoryTracer(configuration, kernel: KernelWithout(programs: missing))
    try tracer.start()
    #expect(try child.finish() == 0)
    let recording = try tracer.stop()
    let hook = try #require(recording.hooks.first { $0.need == "mappings" })
    #expect(hook.used.contains("raw_tp/sys_exit") == withoutBest)
    #expect(hook.refused.count == missing.count)
    let compat = recording.hooks.first { $0.need == "mappings of 32-bit programs" }
    #expect((compat != nil) == (workload == "mappings-32" && !withoutBest))
    #expect(compat?.refused == compat.map { _ in [] } && recording.unwatchedPrograms == 0)
    let unit: UInt64 = 64 << 10
    let growth = try #require(recording.processes.first { $0.process == child.id })
    #expect(growth.maps == 15 && growth.mappedBytes == 15 * unit)
    #expect(growth.unmaps == 5 && growth.unmappedBytes == 4 * unit)
    #expect(growth.breakBytes == Int64(12 * unit))
    let sites = recording.sites.filter { $0.kind == .map || $0.kind == .programBreak }
    #expect(sites.reduce(0) { $0 + $1.bytes } == 15 * unit + 16 * unit)
    for site in sites {
      let names = recording.profile.stacks[site.stack].map { recording.profile.frames[$0].name }
      #expect(names.first == (workload == "mappings" ? "syscall" : "start"), "\(names)")
    }
  }

  private final class KernelWithoutReturns: ForwardingKernel {
    func openRawTracepoint(_ name: String, program: Int32, cookie: UInt64) throws(Errno)
      -> OwnedDescriptor
    {
      guard name != "sys_exit" else { throw .notPermitted }
      return try LiveKernel().openRawTracepoint(name, program: program, cookie: cookie)
    }
  }

  /// Programs at all calls are there from the first 32-bit program on, and say what they missed: that
  /// program's mappings, unless the reader was there before them. Where they cannot be there, all.
  @Test(arguments: [false, true])
  func `mappings of 32-bit programs are counted, or that they were not`(cannotBe: Bool) throws {
    let program = try StoppedProcess.workload("mappings-32") + " go"
    let stop = "kill -STOP $$"
    let shell = try StoppedProcess([
      "/bin/sh", "-c", "\(stop); \(program); \(stop); \(program); true",
    ])
    var configuration = MemoryTracerConfiguration()
    configuration.filter.follow(shell.id)
    let tracer =
      cannotBe
      ? MemoryTracer(configuration, kernel: KernelWithoutReturns()) : MemoryTracer(configuration)
    try tracer.start()
    try shell.resumeUntilStopped()
    try Kernel.eventually {
      try tracer.hooks().contains { $0.need == "mappings of 32-bit programs" }
    }
    let missed = try tracer.snapshot().unwatchedPrograms
    #expect(missed == 1 || (missed == 0 && !cannotBe))
    #expect(try shell.finish() == 0)
    let recording = try tracer.stop()
    #expect(recording.unwatchedPrograms == (cannotBe ? 2 : missed))
    let unit: UInt64 = 64 << 10
    let maps = recording.processes.filter { $0.command == "mappings-32" }.map(\.mappedBytes)
    #expect(maps.count == 2)
    #expect(maps.count { $0 == 15 * unit } >= (cannotBe ? 0 : missed == 1 ? 1 : 2), "\(maps)")
    #expect(!cannotBe || maps == [0, 0])
    let hook = try #require(
      recording.hooks.first { $0.need == "mappings of 32-bit programs" })
    #expect(hook.refused.isEmpty == !cannotBe)
  }

  @Test func `one fault in so many stands for so many`() throws {
    let pages = 20_000
    let child = try StoppedProcess(workload: "allocations", ["touch", String(pages)])
    let tracer = tracer(of: child.id) {
      $0.allocations = .none
      $0.faultPeriod = 16
    }
    try tracer.start()
    try child.resumeUntilStopped()
    let recording = try tracer.stop()
    child.send(SIGKILL)
    let counted = try #require(recording.processes.first { $0.process == child.id }).faults
    let estimate = recording.sites.filter { $0.kind == .fault }.reduce(0) { $0 + $1.count }
    // Binomial: the standard deviation of the estimate is √(n (16 − 1)); seven of them.
    let deviation = (Double(counted) * 15).squareRoot()
    #expect(abs(Double(estimate) - Double(counted)) < 7 * deviation)
  }

  @Test func `a process killed for want of memory is reported with its last seconds`() throws {
    let group = try MemoryGroup(limit: 20 << 20)
    let child = try StoppedProcess(workload: "allocations", ["touch", "51200"])
    try group.add(child.id)
    let tracer = tracer(of: child.id) {
      $0.allocations = .none
      $0.historyInterval = 100_000
    }
    try tracer.start()
    #expect(try child.finish() == 128 + SIGKILL)
    let recording = try tracer.stop()
    let victim = try #require(recording.victims.first { $0.process == child.id })
    #expect(recording.victims.count { $0.process == child.id } == 1)
    #expect(victim.command == "allocations")
    // The limit, less what the kernel counts late (a batch of pages for each CPU) and its own tables.
    #expect(victim.anonymousBytes > 15 << 20 && victim.anonymousBytes <= 20 << 20)
    #expect(victim.history.count > 2)
    let resident = victim.history.map(\.residentBytes)
    #expect(resident == resident.sorted())
    #expect(victim.history.map(\.before) == victim.history.map(\.before).sorted(by: >))
  }
}
