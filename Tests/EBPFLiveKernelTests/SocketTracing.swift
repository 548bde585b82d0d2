import EBPFTracers
import TestSupport
import Testing

/// What the suites of the network tracer share: recordings of programs of known work, each in a network
/// namespace of its own.
protocol SocketTracing {}

extension SocketTracing {
  func tracer(
    of process: Int32, _ change: (inout NetworkTracerConfiguration) -> Void = { _ in }
  ) -> NetworkTracer {
    NetworkTracer(configuration(of: process, change))
  }

  func configuration(
    of process: Int32, _ change: (inout NetworkTracerConfiguration) -> Void = { _ in }
  ) -> NetworkTracerConfiguration {
    var configuration = NetworkTracerConfiguration()
    configuration.filter.follow(process)
    change(&configuration)
    return configuration
  }

  /// Traces a scenario of Tests/Fixtures/workloads/sockets.c from its first stop to its end.
  func activity(
    _ scenario: [String], _ change: (inout NetworkTracerConfiguration) -> Void = { _ in }
  ) throws -> NetworkActivity {
    let child = try StoppedProcess(workload: "sockets", scenario)
    let tracer = tracer(of: child.id, change)
    try tracer.start()
    #expect(try child.finish() == 0)
    let activity = try tracer.stop()
    checkSums(activity)
    return activity
  }

  /// What holds for every recording that is over.
  func checkSums(
    _ activity: NetworkActivity, location: SourceLocation = #_sourceLocation
  ) {
    let all = activity.statistics
    #expect(
      all.seen == all.recorded + all.dropped + all.unwanted, "\(all)", sourceLocation: location)
    #expect(all.dropped == 0, sourceLocation: location)
  }
}
