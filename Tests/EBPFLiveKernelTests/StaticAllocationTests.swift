import EBPF
import EBPFTracers
import Glibc
import Profiles
import TestSupport
import Testing

/// Processes that pick allocations themselves (`otel_memory.c`), on the running kernel.
@Suite(.serialized) struct StaticAllocationTests {
  private func configuration(_ process: Int32) -> MemoryTracerConfiguration {
    var configuration = MemoryTracerConfiguration()
    configuration.allocations = .sampled(bytes: MemoryTracerConfiguration.usualSampleBytes)
    configuration.filter.processes = [process]
    return configuration
  }

  private func checkSums(_ totals: MemoryTotals) {
    #expect(totals.allocations == 1000)
    #expect(totals.allocatedBytes == 8_080_150)
    #expect(totals.frees == 750)
    #expect(totals.freedBytes == 6_000_150)
    #expect(totals.activeAllocations == 250)
    #expect(totals.currentBytes == 2_080_000)
  }

  @Test(arguments: ["otel-memory", "otel-memory-static"])
  func `sums are what the program says that its picks stand for`(workload: String) throws {
    let child = try StoppedProcess(workload: workload)
    let tracer = MemoryTracer(configuration(child.id))
    try tracer.start()
    // 0: both semaphores were above 0.
    #expect(try child.finish() == 0)
    let result = try tracer.stop()
    checkSums(result.totals)
    #expect(result.usesStaticProbes && result.sampleBytes == nil)
    #expect(result.statistics.dropped == 0)
    // 100 picks and 75 frees; the other events are growth.
    #expect(result.totals.unknownFrees == 0 && result.totals.replaced == 0)
    let sizes = (1...25).map { UInt64(640 * $0) }
    #expect(result.blocks.map(\.size) == sizes.reversed())
    let sites = result.sites.filter { $0.kind == .allocation }
    let names = sites.map { site in
      result.profile.stacks[site.stack].compactMap { result.profile.frames[$0].name }
    }
    #expect(sites.count == 2)
    for (site, names) in zip(sites, names) {
      let isFirst = names.contains("first_site")
      #expect(isFirst != names.contains("second_site"))
      #expect(names.contains("main"))
      #expect(site.count == (isFirst ? 600 : 400))
      // 1,600 times the sum of 1 to 60, and 61 to 100; 30 and 20 of them are odd.
      #expect(site.bytes == (isFirst ? 1600 * 1830 + 90 : 1600 * 3220 + 60))
    }
    let hook = try #require(result.hooks.first { $0.need == "allocations" })
    #expect(hook.used.hasPrefix("USDT otel_memory:alloc and otel_memory:free of "))
    #expect(hook.refused.isEmpty)
  }

  @Test func `a pause leaves picks out, and a block freed meanwhile is no leak`() throws {
    let child = try StoppedProcess(workload: "otel-memory")
    let tracer = MemoryTracer(configuration(child.id))
    try tracer.start()
    try tracer.pause()
    #expect(try child.finish() == 0)
    let result = try tracer.stop()
    #expect(result.totals.allocations == 0 && result.blocks.isEmpty)
  }

  @Test func `every call is asked of the allocator, also where there are probes`() throws {
    let child = try StoppedProcess(workload: "otel-memory")
    var configuration = configuration(child.id)
    configuration.allocations = .exact
    let tracer = MemoryTracer(configuration)
    try tracer.start()
    // 3: nobody watched the probes.
    #expect(try child.finish() == 3)
    let result = try tracer.stop()
    #expect(!result.usesStaticProbes)
    #expect(result.totals.allocations == 1000)
    #expect(result.totals.currentBytes == 208_000)
  }

  @Test func `with a process that has none all are asked by their allocators`() throws {
    let child = try StoppedProcess(workload: "otel-memory")
    let other = try StoppedProcess(workload: "memory")
    var configuration = configuration(child.id)
    configuration.filter.processes.insert(other.id)
    let tracer = MemoryTracer(configuration)
    try tracer.start()
    #expect(try child.finish() == 3)
    #expect(try other.finish() == 0)
    let result = try tracer.stop()
    #expect(!result.usesStaticProbes)
    let hook = try #require(result.hooks.first { $0.need == "allocations" })
    #expect(
      hook.refused.contains(
        TracerHook.Refusal(
          hook: "USDT otel_memory:alloc and otel_memory:free",
          why: "process \(other.id) does not have them")))
  }
}
