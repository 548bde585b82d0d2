import EBPF
import EBPFTracers
import Profiles
import TestSupport

/// A program that picks allocations itself and tells of them by the USDT probes `otel_memory`.
enum StaticAllocationChecks {
  static let all = [
    Check("sums of allocations are what a program says by its own probes, and so are its sites") {
      let child = try StoppedProcess([Guest.otelMemory])
      var configuration = MemoryTracerConfiguration()
      configuration.allocations = .sampled(bytes: MemoryTracerConfiguration.usualSampleBytes)
      configuration.filter.processes = [child.id]
      let tracer = MemoryTracer(configuration)
      try tracer.start()
      // 0: the semaphores of both probes were above 0.
      try equal(try child.finish(), 0, "the status")
      let recording = try tracer.stop()
      let hook = try require(
        recording.hooks.first { $0.need == "allocations" }, "no hook for allocations")
      try require(
        hook.used.hasPrefix("USDT otel_memory:alloc and otel_memory:free of "), hook.used)
      try equal(hook.refused, [], "ways refused")
      try require(
        recording.usesStaticProbes && recording.sampleBytes == nil, "allocations were sampled")
      let totals = recording.totals
      try equal(
        [
          totals.allocations, totals.allocatedBytes, totals.frees, totals.freedBytes,
          totals.activeAllocations, totals.currentBytes, totals.unknownFrees, totals.replaced,
        ], [1000, 8_080_150, 750, 6_000_150, 250, 2_080_000, 0, 0], "the sums of \(totals)")
      try equal(recording.statistics.dropped, 0, "lost events")
      try equal(
        recording.blocks.map(\.size), (1...25).reversed().map { UInt64(640 * $0) },
        "blocks in use")
      var sites: [String: [UInt64]] = [:]
      for site in recording.sites where site.kind == .allocation {
        let names = recording.profile.stacks[site.stack].compactMap {
          recording.profile.frames[$0].name
        }
        try require(names.contains("main"), "\(names)")
        let name = try require(names.first { $0.hasSuffix("_site") }, "\(names)")
        sites[name] = [site.count, site.bytes]
      }
      // 1,600 times the sum of 1 to 60, and of 61 to 100; 30 and 20 of them are odd.
      let expected: [String: [UInt64]] = [
        "first_site": [600, 2_928_090], "second_site": [400, 5_152_060],
      ]
      try equal(sites, expected, "count and bytes by site")
    }
  ]
}
