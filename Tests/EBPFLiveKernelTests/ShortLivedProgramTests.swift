import EBPFTracers
import Profiles
import TestSupport
import Testing

/// A profiler must look at a program while it is there, and name it when it is gone.
@Suite(.serialized) struct ShortLivedProgramTests {
  private func record(_ mode: String) throws -> CPUProfile {
    let child = try StoppedProcess(workload: "short-lived", ["200", "10", mode, "stop"])
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = 997
    configuration.filter.processes = [child.id]
    configuration.filter.followsChildren = true
    configuration.stacks = .user
    let profiler = CPUProfiler(configuration)
    try profiler.start()
    #expect(try child.finish() == 0)
    return try profiler.stop()
  }

  @Test(arguments: ["plain", "copy"])
  func `two hundred programs that ended before the report, some removed, have names`(
    mode: String
  ) throws {
    let result = try record(mode)
    let profile = result.profile
    var named: Int64 = 0
    var all: Int64 = 0
    var processes: Set<Int> = []
    for sample in profile.samples {
      let frames = profile.stacks[sample.stack].map { profile.frames[$0] }
      // Between two programs, in `exec`, there is no user stack.
      guard let leaf = frames.first, leaf.kind != .marker else { continue }
      all += sample.values[0]
      if leaf.name != nil { named += sample.values[0] }
      // Before there is a table for the program, its caller may be missing on the stack.
      if frames.contains(where: { $0.name == "short_life" || $0.name == "short_work" }) {
        processes.insert(sample.process)
      }
    }
    // Ten milliseconds each are ten samples.
    #expect(all > 1000)
    #expect(processes.count > 150, "samples in \(processes.count) of 200 programs are named")
    #expect(Double(named) >= 0.95 * Double(all), "\(named) of \(all) samples have names")
    let nameless = profile.frames.count { $0.kind != .marker && $0.name == nil }
    #expect(result.unresolvedFrames == nameless)
  }
}
