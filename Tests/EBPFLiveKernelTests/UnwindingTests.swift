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
    "work_alloca", "work_thread", "work_linkage", "work_clock", "work_closure", "main",
  ]

  struct Truth: CustomTestStringConvertible {
    let workload: String
    let mode: String
    let chain: [String]
    /// What every sample that is compared has in its stack.
    var within = "leaf"
    /// A large file's rows are made part by part when walks come to them; until then a few samples
    /// end early, which are fewer than one in a hundred of a longer run.
    var seconds: String { workload == "unwind-swift-static" ? "5" : "0.5" }
    var testDescription: String { "\(workload) \(mode)" }
  }

  static let truths: [Truth] =
    [
      "unwind", "unwind-lld", "unwind-static", "unwind-static-pie", "unwind-musl",
      "unwind-musl-static",
    ]
    .flatMap { workload in
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
        Truth(workload: workload, mode: "thread", chain: ["leaf", "work_thread"]),
        Truth(
          workload: workload, mode: "linkage", chain: ["work_linkage", "main"],
          within: "work_linkage"),
        Truth(
          workload: workload, mode: "clock", chain: ["work_clock", "main"], within: "work_clock"),
      ]
    }
    + ["unwind-swift", "unwind-swift-debug", "unwind-swift-frames", "unwind-swift-static"]
    .flatMap { workload in
      [
        Truth(
          workload: workload, mode: "recursion",
          chain: ["leaf"] + Array(repeating: "recurse", count: 50) + ["main"]),
        Truth(workload: workload, mode: "closure", chain: ["leaf", "work_closure", "main"]),
        // Only what runs on the thread is on its stack, and that is whole.
        Truth(workload: workload, mode: "async", chain: ["leaf"]),
      ]
    }

  private func record(_ truth: Truth, _ unwinding: CPUProfilerConfiguration.Unwinding) throws
    -> CPUProfile
  {
    let child = try StoppedProcess([
      try StoppedProcess.workload(truth.workload), truth.mode, truth.seconds,
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
  private func matches(_ profile: Profile, _ truth: Truth) -> (right: Int64, all: Int64) {
    var right: Int64 = 0
    var all: Int64 = 0
    for sample in profile.samples {
      let names = profile.stacks[sample.stack].map { profile.frames[$0].name ?? "?" }
      // What is between two rounds is not in `leaf`.
      guard names.contains(truth.within) else { continue }
      all += sample.values[0]
      if names.filter(Self.known.contains) == truth.chain { right += sample.values[0] }
    }
    return (right, all)
  }

  @Test(arguments: truths)
  func `stacks without frame pointers are whole, frame by frame`(truth: Truth) throws {
    let result = try record(truth, .automatic)
    #expect(result.hooks.contains { $0.used == "unwind tables (.eh_frame)" && $0.refused.isEmpty })
    let walks = try #require(result.walks)
    #expect(walks.complete > 100)
    // Its table was there before the first sample.
    #expect(walks.noProcess == 0)
    #expect(
      Double(walks.complete) >= 0.99 * Double(walks.begun + walks.noProcess), "\(walks)")
    let (right, all) = matches(result.profile, truth)
    #expect(all > 100)
    #expect(Double(right) >= 0.99 * Double(all), "\(right) of \(all) are right")
  }

  @Test func `a stack deeper than what is kept is truncated, not whole`() throws {
    let truth = Truth(workload: "unwind", mode: "deep", chain: [])
    let result = try record(truth, .automatic)
    let walks = try #require(result.walks)
    #expect(walks.tooDeep > 100)
    #expect(result.statistics.truncated >= walks.tooDeep)
    for sample in result.profile.samples {
      let names = result.profile.stacks[sample.stack].map { result.profile.frames[$0].name ?? "?" }
      // On the way up and down it is less deep.
      guard names.first == "leaf" else { continue }
      #expect(names == ["leaf"] + Array(repeating: "recurse", count: 126) + ["[truncated]"])
    }
  }

  @Test func `frame pointers lose the callers of a function that has none`() throws {
    let truth = Self.truths[0]
    let result = try record(truth, .framePointers)
    #expect(result.walks == nil)
    #expect(
      result.hooks.contains { hook in
        hook.need == "user stacks" && hook.refused.contains { $0.why == "turned off" }
      })
    let (right, all) = matches(result.profile, truth)
    #expect(all > 100)
    #expect(right < all / 10, "\(right) of \(all) are whole: what is this test worth?")
  }

  @Test func `both ways on the same samples: frame pointers lose what has none`() throws {
    func compare(_ workload: String, _ mode: String) throws -> (UnwindComparison, StackWalks) {
      let child = try StoppedProcess([try StoppedProcess.workload(workload), mode, "0.5"])
      var configuration = CPUProfilerConfiguration()
      configuration.frequency = 997
      configuration.filter.processes = [child.id]
      configuration.comparesUnwinding = true
      let profiler = CPUProfiler(configuration)
      try profiler.start()
      #expect(try child.finish() == 0)
      let result = try profiler.stop()
      return (try #require(result.comparison), try #require(result.walks))
    }
    let (without, walks) = try compare("unwind", "callback")
    #expect(without.total.samples > 100)
    #expect(without.total.samples == walks.total)
    #expect(without.total.wholeByTable * 100 >= without.total.samples * 99)
    #expect(without.total.wholeByFramePointers * 10 < without.total.samples)
    #expect(without.binaries.first?.path.hasSuffix("/unwind") == true)

    let (with, _) = try compare("unwind-swift-frames", "closure")
    #expect(with.total.samples > 100)
    #expect(with.total.wholeByTable * 100 >= with.total.samples * 99)
    #expect(with.total.wholeByFramePointers * 10 > with.total.samples * 9)
    #expect((with.total.equal + with.total.partial) * 10 > with.total.samples * 9)
  }

  /// The functions that are ours of the stacks with a fiftieth of the samples and more.
  private static func frequent(_ stacks: [[String]: Int64]) -> Set<[String]> {
    let all = stacks.values.reduce(0, +)
    return Set(stacks.filter { $0.value * 50 >= all }.keys)
  }

  @Test(arguments: [
    ("unwind", "aligned"), ("unwind-static-pie", "alloca"), ("unwind", "thread"),
    ("unwind-swift-debug", "closure"),
  ])
  func `stacks are those of perf record --call-graph dwarf`(workload: String, mode: String) throws {
    let truth = Truth(workload: workload, mode: mode, chain: [])
    let profile = try record(truth, .automatic).profile
    var mine: [[String]: Int64] = [:]
    for sample in profile.samples {
      let names = profile.stacks[sample.stack].map { profile.frames[$0].name ?? "?" }
      guard names.first == "leaf" else { continue }
      mine[names.filter(Self.known.contains), default: 0] += sample.values[0]
    }
    let folder = try TemporaryDirectory()
    let data = folder.file("perf.data")
    // The workload stops itself, and is woken until it has ended.
    let script = """
      perf record -q -e cpu-clock -F 297 -m 2048 --call-graph dwarf -o \(data) -- sh -c '
        \(try StoppedProcess.workload(workload)) \(mode) 0.5 &
        while kill -CONT $! 2>/dev/null; do sleep 0.05; done' >/dev/null 2>&1
      perf script --comm \(workload.prefix(15)) --no-inline -F ip,sym -i \(data) 2>/dev/null
      """
    let text = try Command.output(["/bin/sh", "-c", script])
    var theirs: [[String]: Int64] = [:]
    var stack: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let fields = line.split(whereSeparator: \.isWhitespace)
      if fields.count >= 2 { stack.append(fields[1...].joined(separator: " ")) }
      guard fields.isEmpty else { continue }
      if stack.first == "leaf" { theirs[stack.filter(Self.known.contains), default: 0] += 1 }
      stack.removeAll()
    }
    #expect(theirs.values.reduce(0, +) > 50, "\(text.prefix(400))")
    #expect(Self.frequent(mine) == Self.frequent(theirs))
  }
}
