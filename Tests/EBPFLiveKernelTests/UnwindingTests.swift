import EBPF
import EBPFTracers
import Profiles
import TestSupport
import Testing

/// Stacks of programs without frame pointers, each with a known chain of callers.
@Suite(.serialized) struct UnwindingTests {
  /// The functions of a sample from the leaf to the root, the C library's own left out.
  private static let known: Set = [
    "leaf", "compare", "work_callback", "recurse", "handle", "work_signal", "work_aligned",
    "work_alloca", "main",
  ]

  struct Truth: CustomTestStringConvertible {
    let workload: String
    let mode: String
    let chain: [String]
    var testDescription: String { "\(workload) \(mode)" }
  }

  static let truths: [Truth] = ["unwind", "unwind-lld", "unwind-static", "unwind-static-pie"]
    .flatMap {
      workload in
      [
        Truth(
          workload: workload, mode: "callback", chain: ["leaf", "compare", "work_callback", "main"]),
        Truth(
          workload: workload, mode: "recursion",
          chain: ["leaf"] + Array(repeating: "recurse", count: 100) + ["main"]),
        Truth(
          workload: workload, mode: "signal", chain: ["leaf", "handle", "work_signal", "main"]),
        Truth(workload: workload, mode: "aligned", chain: ["leaf", "work_aligned", "main"]),
        Truth(workload: workload, mode: "alloca", chain: ["leaf", "work_alloca", "main"]),
      ]
    }

  private func record(_ truth: Truth, _ unwinding: CPUProfilerConfiguration.Unwinding) throws
    -> CPUProfile
  {
    let child = try StoppedProcess([
      try StoppedProcess.workload(truth.workload), truth.mode, "0.5",
    ])
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = 997
    configuration.filter.processes = [child.id]
    configuration.stacks = .user
    configuration.unwinding = unwinding
    let profiler = CPUProfiler(configuration)
    try profiler.start()
    #expect(try child.finish() == 0)
    return try profiler.stop()
  }

  /// Samples by whether the functions that are ours are exactly the expected ones.
  private func matches(_ profile: Profile, _ chain: [String]) -> (right: Int64, all: Int64) {
    var right: Int64 = 0
    var all: Int64 = 0
    for sample in profile.samples {
      let names = profile.stacks[sample.stack].map { profile.frames[$0].name ?? "?" }
      // What is between two rounds is not in `leaf`.
      guard names.contains("leaf") else { continue }
      all += sample.values[0]
      if names.filter(Self.known.contains) == chain { right += sample.values[0] }
    }
    return (right, all)
  }

  @Test(arguments: truths)
  func `stacks without frame pointers are whole, frame by frame`(truth: Truth) throws {
    let result = try record(truth, .automatic)
    #expect(result.hooks.contains { $0.used == "unwind tables (.eh_frame)" && $0.refused.isEmpty })
    let walks = try #require(result.walks)
    // A few samples are taken before the process is known.
    #expect(walks.begun > 100)
    #expect(Double(walks.complete) >= 0.99 * Double(walks.begun), "\(walks)")
    let (right, all) = matches(result.profile, truth.chain)
    let early = Int64(walks.noProcess)
    #expect(Double(right + early) >= 0.99 * Double(all), "\(right) of \(all) are right")
  }

  @Test func `frame pointers lose the callers of a function that has none`() throws {
    let truth = Self.truths[0]
    let result = try record(truth, .framePointers)
    #expect(result.walks == nil)
    #expect(
      result.hooks.contains { hook in
        hook.need == "user stacks" && hook.refused.contains { $0.why == "turned off" }
      })
    let (right, all) = matches(result.profile, truth.chain)
    #expect(all > 100)
    #expect(right < all / 10, "\(right) of \(all) are whole: what is this test worth?")
  }
}
