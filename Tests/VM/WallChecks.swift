import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import Profiles
import TestSupport

/// Time off the CPU, and all time of threads. Which thread waits for how long is exact in an emulated
/// machine as well: the same clock measures all of it.
enum WallChecks {
  static let all = [
    Check("each context switch is counted, and every nanosecond of both threads is in a state") {
      for usesThreadTable in [false, true] {
        let child = try StoppedProcess([Guest.waits, "switch", "1000", "stop"])
        let threads = try WallChecks.threads(of: child.id)
        try equal(threads.count, 2, "threads")
        let before = try switches(of: child.id, threads)
        let profiler = WallChecks.profiler(of: child.id) {
          $0.separatesThreads = true
          $0.usesThreadTable = usesThreadTable
        }
        try profiler.start()
        try child.resumeUntilStopped()
        while try !threads.allSatisfy({ try state(of: child.id, $0) == "T" }) { sched_yield() }
        let made = try switches(of: child.id, threads) - before
        let result = try profiler.stop()
        child.send(SIGKILL)
        try require(made >= 2000, "\(made) switches")
        try equal(result.switches, made, "switches")
        try equal(result.statistics.dropped, 0, "events lost")
        let used = usesThreadTable ? "raw_tp/sched_switch" : "tp_btf/sched_switch"
        let hook = try require(
          result.hooks.first { $0.need == "context switches" }, "no hook for switches")
        try require(hook.used.hasSuffix(used), "switches by \(hook.used)")
        try equal(hook.refused, [], "ways refused")
        try equal(Set(result.threads.map(\.thread)), Set(threads), "threads")
        for times in result.threads {
          try equal(times.wall, result.statistics.recordedNanoseconds, "time of \(times)")
          try require(
            times.running > 0 && times[.sleeping] > 0,
            "\(times): \(ThreadState.allCases.map { times[$0] })")
          try require(times.existedBefore && !times.hasEnded, "\(times)")
        }
        let profile = result.profile
        try equal(
          profile.samples.reduce(0) { $0 + UInt64($1.values[1]) },
          result.threads.reduce(0) { $0 + $1.runnable + $1.blocked }, "time in the stacks")
        let stacks = profile.stacks.map { $0.map { profile.frames[$0].name ?? "?" } }
        try require(
          stacks.contains {
            $0.first == "[blocked: sleeping]" && $0.contains("schedule")
              && $0.contains("__libc_read")
          }, "\(stacks)")
        // A C library's read has no frame pointer: its caller is found by table only.
        guard !usesThreadTable else { continue }
        let walker = try require(
          result.hooks.first { $0.need == "user stacks" }, "no hook for user stacks")
        try equal(walker.used, "unwind tables (.eh_frame)", "user stacks by")
        try equal(walker.refused, [], "ways refused to walk")
        for caller in ["main", "answer"] {
          try require(
            stacks.contains { stack in
              guard let read = stack.firstIndex(of: "__libc_read") else { return false }
              return stack[read...].dropFirst().first == caller
                && ["_start", "__clone3"].contains(stack.last)
            }, "\(caller) is no caller: \(stacks)")
        }
      }
    },
    Check("a thread that is blocked before the start and after the end is there all the time") {
      let child = try StoppedProcess([Guest.waits, "sleep", "1000"])
      child.resume()
      while try state(of: child.id, child.id) != "S" { sched_yield() }
      let profiler = WallChecks.profiler(of: child.id) { $0.coverage = .wall }
      try profiler.start()
      _ = try Command.output([Guest.cpu, "0.2"])
      let result = try profiler.stop()
      child.send(SIGKILL)
      let times = try require(result.threads.first, "no thread")
      try equal(result.threads.count, 1, "threads")
      try equal(times[.sleeping], result.statistics.recordedNanoseconds, "time asleep")
      try equal(times.wall, result.statistics.recordedNanoseconds, "all time")
      try require(times.existedBefore, "\(times)")
    },
    Check("on and off the CPU add up to the life of a thread, in stacks") {
      let child = try StoppedProcess([Guest.cpu, "0.5", "stop"])
      let profiler = WallChecks.profiler(of: child.id) {
        $0.coverage = .wall
        $0.frequency = 499
      }
      try profiler.start()
      try equal(try child.finish(), 0, "the status")
      let result = try profiler.stop()
      let times = try require(result.threads.first, "no thread")
      try require(times.hasEnded && times[.stopped] > 0, "\(times)")
      // How much is not to be believed of an emulated clock.
      try require(times.running > 0, "\(times)")
      let profile = result.profile
      try equal(
        profile.samples.reduce(0) { $0 + UInt64($1.values[1]) }, times.wall, "time in the stacks")
    },
  ]

  private static func profiler(
    of process: Int32, _ change: (inout WallProfilerConfiguration) -> Void
  ) -> WallProfiler {
    var configuration = WallProfilerConfiguration()
    configuration.filter.processes = [process]
    change(&configuration)
    return WallProfiler(configuration)
  }

  private static func threads(of process: Int32) throws -> [Int32] {
    try Command.output(["/bin/busybox", "ls", "/proc/\(process)/task"])
      .split(separator: "\n").compactMap { Int32($0) }
  }

  /// The state letter of a thread.
  private static func state(of process: Int32, _ thread: Int32) throws -> Character? {
    let text = try Guest.text("/proc/\(process)/task/\(thread)/stat")
    return text.split(separator: ")").last?.dropFirst().first
  }

  /// Voluntary and other switches of all threads.
  private static func switches(of process: Int32, _ threads: [Int32]) throws -> UInt64 {
    var sum: UInt64 = 0
    for thread in threads {
      let lines = try Guest.text("/proc/\(process)/task/\(thread)/status").split(separator: "\n")
      for line in lines where line.contains("_ctxt_switches:") {
        sum += UInt64(line.split { $0 == "\t" || $0 == " " || $0 == ":" }[1]) ?? 0
      }
    }
    return sum
  }
}
