import EBPFTracers
import TestSupport
import Testing

/// What the suites of the memory tracer share: recordings of programs of known work.
protocol AllocationTracing {}

extension AllocationTracing {
  func tracer(
    of process: Int32, _ change: (inout MemoryTracerConfiguration) -> Void = { _ in }
  ) -> MemoryTracer {
    var configuration = MemoryTracerConfiguration()
    configuration.allocations = .exact
    configuration.filter.processes = [process]
    change(&configuration)
    return MemoryTracer(configuration)
  }

  /// Records a workload from its first stop to its end.
  func record(
    _ workload: String, _ arguments: [String] = [],
    _ change: (inout MemoryTracerConfiguration) -> Void = { _ in }
  ) throws -> MemoryRecording {
    let child = try StoppedProcess(workload: workload, arguments)
    let tracer = tracer(of: child.id, change)
    try tracer.start()
    #expect(try child.finish() == 0)
    return try tracer.stop()
  }

  /// The equation that holds whatever happened.
  func expectBalance(
    _ recording: MemoryRecording, _ location: SourceLocation = #_sourceLocation
  ) {
    let all = recording.totals
    #expect(
      all.allocations
        == all.frees + all.activeAllocations + all.released + all.replaced + all.untracked,
      sourceLocation: location)
    let statistics = recording.statistics
    #expect(
      statistics.seen == statistics.recorded + statistics.dropped + statistics.unwanted,
      sourceLocation: location)
  }
}
