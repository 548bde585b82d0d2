#if TracerMetrics
  import EBPFTracers
  import MetricsTestKit
  import TestSupport
  import Testing
  import TracerMetrics

  /// The figures of tracers on the running kernel.
  @Suite(.serialized) struct LiveReporterTests {
    @Test func `two tracers of known work, one after the other, add up exactly`() throws {
      let factory = TestMetrics()
      let name = ("ebpf.tracer.name", "syscalls")
      func events(_ outcome: String) throws -> [Int64] {
        try factory.expectCounter(
          "ebpf.tracer.events", [name, ("ebpf.outcome", outcome)]
        ).values
      }
      for calls in [1_000, 2_500] {
        let child = try StoppedProcess(workload: "rounds", ["2", "\(calls)"])
        var configuration = SyscallTracerConfiguration()
        configuration.filter.processes = [child.id]
        configuration.measuresProgramTime = true
        let tracer = SyscallTracer(configuration)
        try tracer.filterSyscall("getppid", enabled: true)
        let reporter = TracerReporter(tracer, name: "syscalls", factory: factory)
        try tracer.start()
        try child.resumeUntilStopped()
        try reporter.report()
        try child.finish()
        reporter.finish(try tracer.stop().statistics)
      }
      #expect(try events("recorded") == [1_000, 1_000, 2_500, 2_500])
      #expect(try events("dropped").isEmpty)
      let runs = try factory.expectCounter("ebpf.tracer.kernel.runs", [name]).values
      #expect(runs.count == 2 && runs[0] >= 1_000 && runs[1] >= 2_500)
      let maps = try factory.expectGauge("ebpf.tracer.map.usage", [name]).values
      #expect(maps.count == 4 && maps[0] > 0 && maps[1] == 0 && maps[2] > 0 && maps[3] == 0)
      let memory = try factory.expectGauge("ebpf.process.memory.usage", [name]).values
      #expect(memory.count == 2 && memory.allSatisfy { $0 > 1_048_576 })
    }
  }
#endif
