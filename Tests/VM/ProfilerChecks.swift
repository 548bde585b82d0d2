import EBPF
import EBPFTracers
import Glibc
import Profiles
import TestSupport

/// The CPU profiler. How many samples there are is not asked: time in an emulated machine is not time.
enum ProfilerChecks {
  static let all = [
    Check("each sample is accounted for, and hot_b is the hottest function by name") {
      let result = try profile([Guest.cpu, "2", "stop"])
      let leaves = result.profile.samples.reduce(into: [String: Int64]()) { counts, sample in
        counts[names(result.profile, sample).first ?? "?", default: 0] += sample.values[0]
      }
      let hot = (leaves["hot_b"] ?? 0, leaves["hot_a"] ?? 0)
      try require(hot.0 > hot.1 && hot.1 > 0, "\(leaves)")
      let stacks = result.profile.samples.map { names(result.profile, $0) }
      try require(
        stacks.contains { $0.first == "hot_b" && $0.contains("burn") && $0.contains("main") },
        "\(stacks)")
    },
    Check("kernel frames have names, and user frames stand below them") {
      let result = try profile([Guest.syscalls])
      let stacks = result.profile.samples.map { names(result.profile, $0) }
      try require(
        stacks.contains { stack in
          guard let entry = stack.firstIndex(of: "do_syscall_64") else { return false }
          return stack[entry...].contains("syscall")
        }, "\(stacks)")
    },
    Check("stacks of a program without frame pointers are whole, by unwind tables") {
      let child = try StoppedProcess([Guest.unwind, "callback", "3"])
      let profiler = ProfilerChecks.profiler(of: child.id)
      try profiler.start()
      try equal(try child.finish(), 0, "the status")
      let result = try profiler.stop()
      let used = result.hooks.first { $0.need == "user stacks" }
      try equal(used?.used, "unwind tables (.eh_frame)", "user stacks by")
      try equal(used?.refused, [], "ways refused")
      let walks = try require(result.walks, "no walks")
      // Some samples are taken before the process is known.
      let known = walks.begun
      try require(known > 20, "\(walks)")
      try require(walks.complete * 100 >= known * 99, "\(walks)")
      let chain = ["leaf", "compare", "work_callback", "main"]
      let stacks = result.profile.samples.map { names(result.profile, $0) }
      try require(
        stacks.contains { $0.filter(chain.contains) == chain }, "\(stacks.prefix(3))")
    },
    Check("a paused profiler takes no samples") {
      let child = try StoppedProcess([Guest.cpu, "60", "stop"])
      let profiler = ProfilerChecks.profiler(of: child.id)
      try profiler.start()
      child.resume()
      while try profiler.statistics().recorded < 20 { sched_yield() }
      try profiler.pause()
      let before = try profiler.statistics()
      _ = try Command.output([Guest.cpu, "0.3"])
      try equal(try profiler.statistics().recorded, before.recorded, "samples while paused")
      try profiler.resume()
      while try profiler.statistics().recorded < before.recorded + 20 { sched_yield() }
      _ = try profiler.stop()
      child.send(9)
    },
  ]

  private static func profiler(of process: Int32) -> CPUProfiler {
    var configuration = CPUProfilerConfiguration()
    configuration.frequency = 499
    configuration.filter.processes = [process]
    return CPUProfiler(configuration)
  }

  /// The profile of a program of known work, from its start to its end.
  private static func profile(_ arguments: [String]) throws -> CPUProfile {
    let child = try StoppedProcess(arguments)
    let profiler = ProfilerChecks.profiler(of: child.id)
    try profiler.start()
    try equal(try child.finish(), 0, "the status of \(arguments[0])")
    let result = try profiler.stop()
    let counts = result.statistics
    try equal(counts.seen, counts.recorded + counts.dropped + counts.unwanted, "\(counts)")
    try equal(counts.dropped, 0, "lost samples")
    try equal(
      result.profile.samples.reduce(0) { $0 + UInt64($1.values[0]) }, counts.recorded,
      "samples in the profile")
    return result
  }

  private static func names(_ profile: Profile, _ sample: Profile.Sample) -> [String] {
    profile.stacks[sample.stack].map { profile.frames[$0].name ?? "?" }
  }
}
