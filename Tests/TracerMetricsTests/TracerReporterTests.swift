#if TracerMetrics
  import EBPF
  import Metrics
  import MetricsTestKit
  import Testing
  import TracerMetrics

  @testable import EBPFTracers

  @Suite struct TracerReporterTests {
    private let factory = TestMetrics()

    private func statistics(_ recorded: UInt64, lost: UInt64 = 0) -> TracerStatistics {
      var statistics = TracerStatistics()
      statistics.recorded = recorded
      statistics.dropped = lost
      statistics.unwanted = lost * 2
      statistics.truncated = lost * 3
      statistics.malformed = lost * 4
      return statistics
    }

    private func overhead(nanoseconds: UInt64?, runs: UInt64? = nil, maps: UInt64? = 4096)
      -> TracerOverhead
    {
      TracerOverhead(
        cpuPercent: 2.5, residentBytes: 1 << 20, mapBytes: maps, kernelNanoseconds: nanoseconds,
        kernelRuns: runs, latencyMedian: nil, latencyP99: nil, unavailable: [])
    }

    private func counter(
      _ label: String, outcome: String? = nil, name: String = "test"
    ) throws -> TestCounter {
      let more = outcome.map { [("ebpf.outcome", $0)] } ?? []
      return try factory.expectCounter(
        label, [("ebpf.tracer.name", name), ("zone", "a")] + more)
    }

    private func gauge(_ label: String) throws -> [Double] {
      try factory.expectGauge(label, [("ebpf.tracer.name", "test"), ("zone", "a")]).values
    }

    private func reporter(_ tracer: ScriptedTracer, name: String = "test") -> TracerReporter {
      TracerReporter(tracer, name: name, dimensions: [("zone", "a")], factory: factory)
    }

    @Test func `counters are told what is new, gauges what is now`() throws {
      let tracer = ScriptedTracer()
      let reporter = reporter(tracer)
      tracer.have(statistics(10, lost: 1), overhead(nanoseconds: 500_000_000, runs: 20))
      try reporter.report()
      try reporter.report()
      tracer.have(statistics(25, lost: 3), overhead(nanoseconds: 2_000_000_000, runs: 50))
      try reporter.report()
      let events = "ebpf.tracer.events"
      #expect(try counter(events, outcome: "recorded").values == [10, 15])
      #expect(try counter(events, outcome: "dropped").values == [1, 2])
      #expect(try counter(events, outcome: "unwanted").values == [2, 4])
      #expect(try counter("ebpf.tracer.events.truncated").values == [3, 6])
      #expect(try counter("ebpf.tracer.records.malformed").values == [4, 8])
      #expect(try counter("ebpf.tracer.kernel.runs").values == [20, 30])
      // Half a second and one and a half, in the whole numbers that this factory counts by.
      #expect(try counter("ebpf.tracer.kernel.time").totalValue == 2)
      #expect(try gauge("ebpf.tracer.map.usage") == [4096, 4096, 4096])
      #expect(try gauge("ebpf.process.cpu.utilization") == [0.025, 0.025, 0.025])
      #expect(try gauge("ebpf.process.memory.usage") == [1_048_576, 1_048_576, 1_048_576])
    }

    @Test func `what is less than it was takes nothing back and is not told twice`() throws {
      let tracer = ScriptedTracer()
      let reporter = reporter(tracer)
      for recorded: UInt64 in [100, 40, 90, 101, 0, 110] {
        tracer.have(statistics(recorded), overhead(nanoseconds: nil))
        try reporter.report()
      }
      #expect(try counter("ebpf.tracer.events", outcome: "recorded").values == [100, 1, 9])
      tracer.have(statistics(.max), overhead(nanoseconds: nil))
      try reporter.report()
      #expect(try counter("ebpf.tracer.events", outcome: "recorded").values.last == .max)
    }

    @Test func `another tracer of that name goes on where the one before ended`() throws {
      let first = ScriptedTracer()
      let reporters = [reporter(first), reporter(first, name: "other")]
      first.have(statistics(7), overhead(nanoseconds: nil))
      try reporters[0].report()
      first.have(statistics(9), overhead(nanoseconds: nil))
      let last = first.stop()
      #expect(throws: EBPFError.self) { try reporters[0].report() }
      reporters[0].finish(last)
      reporters[0].finish(last)
      let second = ScriptedTracer()
      let next = reporter(second)
      // More than the first one had, before anyone looked.
      second.have(statistics(20), overhead(nanoseconds: nil))
      try next.report()
      #expect(try counter("ebpf.tracer.events", outcome: "recorded").values == [7, 2, 20])
      #expect(try gauge("ebpf.tracer.map.usage") == [4096, 0, 0, 4096])
      // Metrics are there before anything is reported.
      #expect(
        try counter("ebpf.tracer.events", outcome: "recorded", name: "other").values.isEmpty)
    }

    @Test func `what could not be measured is not reported`() throws {
      let tracer = ScriptedTracer()
      let reporter = reporter(tracer)
      tracer.have(statistics(1), overhead(nanoseconds: nil, maps: nil))
      try reporter.report()
      #expect(try counter("ebpf.tracer.kernel.runs").values.isEmpty)
      #expect(try counter("ebpf.tracer.kernel.time").values.isEmpty)
      #expect(try gauge("ebpf.tracer.map.usage").isEmpty)
    }

    @Test func `threads that report at the same time report once`() async throws {
      let tracer = ScriptedTracer()
      let reporter = reporter(tracer)
      tracer.have(statistics(1_000), overhead(nanoseconds: 3_000_000_000, runs: 77))
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<16 {
          group.addTask { #expect(throws: Never.self) { try reporter.report() } }
        }
      }
      #expect(try counter("ebpf.tracer.events", outcome: "recorded").values == [1_000])
      #expect(try counter("ebpf.tracer.kernel.runs").values == [77])
      #expect(try counter("ebpf.tracer.kernel.time").totalValue == 3)
    }

    @Test func `without a factory it is that of the metrics system`() throws {
      let tracer = ScriptedTracer()
      tracer.have(statistics(5), overhead(nanoseconds: nil))
      let reporter = withMetricsFactory(factory) { TracerReporter(tracer, name: "test") }
      try reporter.report()
      let dimensions = [("ebpf.tracer.name", "test"), ("ebpf.outcome", "recorded")]
      #expect(try factory.expectCounter("ebpf.tracer.events", dimensions).values == [5])
    }
  }
#endif
