import EBPFTracers
import TestSupport
import Testing

/// What a memory tracer keeps of programs that have ended is bounded, and nothing is lost by that.
@Suite(.serialized) struct MemoryOfEndedProcessesTests {
  private static let programs = 40

  private func record(endedLimit: UInt32) throws -> MemoryRecording {
    let child = try StoppedProcess(
      workload: "short-lived", ["\(Self.programs)", "0", "plain", "stop"])
    var configuration = MemoryTracerConfiguration()
    configuration.filter.processes = [child.id]
    configuration.filter.followsChildren = true
    configuration.faultPeriod = 1
    configuration.endedLimit = endedLimit
    let tracer = MemoryTracer(configuration)
    try tracer.start()
    #expect(try child.finish() == 0)
    return try tracer.stop()
  }

  @Test func `programs beyond the room for them are summed`() throws {
    let whole = try record(endedLimit: 1000)
    let short = try record(endedLimit: 8)
    #expect(whole.otherProcesses == EndedProcessTotals())
    #expect(short.processes.count <= 8)
    for recording in [whole, short] {
      let listed = recording.processes.reduce(0) { $0 + $1.faults }
      // By place they are counted apart from the processes.
      let places = recording.sites.filter { $0.kind == .fault }
      #expect(listed + recording.otherProcesses.faults == places.reduce(0) { $0 + $1.count })
      #expect(recording.statistics.dropped == 0)
      let count = recording.processes.count + Int(recording.otherProcesses.processes)
      #expect(count > Self.programs)
    }
  }
}
