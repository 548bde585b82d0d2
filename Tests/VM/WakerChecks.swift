import EBPFTracers
import Profiles
import TestSupport

/// Who ends waits, against a thread that is woken in three known ways.
enum WakerChecks {
  private static let rounds: Int64 = 50

  static let all = [
    Check("each wake-up has its waker, by name") {
      for usesThreadTable in [false, true] {
        let child = try StoppedProcess([Guest.waits, "wakers", "\(rounds)"])
        var configuration = WallProfilerConfiguration()
        configuration.filter.processes = [child.id]
        configuration.separatesThreads = true
        configuration.recordsWakers = true
        configuration.usesThreadTable = usesThreadTable
        let profiler = WallProfiler(configuration)
        try profiler.start()
        try equal(try child.finish(), 0, "the status")
        // A process may be seen to have ended before a thread of it has left its CPU for good.
        try eventually("the end of the thread that was woken") {
          try profiler.snapshot().threads.contains { $0.command == "woken" && $0.hasEnded }
        }
        let result = try profiler.stop()
        try equal(result.statistics.dropped, 0, "events lost")
        var counts: [String: Int64] = [:]
        for wake in result.wakes {
          let way = try way(result, wake, by: child.id)
          if let way { counts[way, default: 0] += wake.count }
        }
        // A timer may run out before the thread has left its CPU: then nobody has to wake it.
        let timer = counts.removeValue(forKey: "wait_for_timer interrupt") ?? 0
        try require((1...rounds).contains(timer), "\(timer) wake-ups by a timer")
        try equal(
          counts, ["wait_for_futex thread": rounds, "wait_for_pipe thread": rounds], "wake-ups")
        let woken = try require(
          result.threads.first { $0.command == "woken" }, "\(result.threads)")
        let known = result.wakes.reduce(0) { sum, wake in
          result.profile.processes[wake.process].tid == woken.thread
            ? sum + UInt64(wake.nanoseconds) : sum
        }
        try equal(known, woken.blocked, "blocked time with a waker")
      }
    }
  ]

  /// What was waited for and who ended it, once both stacks are as they have to be; nil for a wait of
  /// the program that is none of the three.
  private static func way(
    _ result: WallProfile, _ wake: WallWake, by process: Int32
  ) throws -> String? {
    let names = result.profile.stacks[wake.stack].map { result.profile.frames[$0].name ?? "?" }
    let end = try require(names.firstIndex(of: WallWake.separator), "no separator in \(names)")
    try equal(names[0], wake.waker.label, "the first frame")
    let waker = names[1..<end].reversed()
    let place = names[(end + 1)...].first { $0.hasPrefix("wait_for_") && $0 != "wait_for_all" }
    guard let place else { return nil }
    try equal(names[end + 1], "[blocked: sleeping]", "the state")
    try equal(result.profile.processes[wake.process].command, "woken", "who waited")
    if place == "wait_for_timer" {
      try require(wake.waker.process == 0 && wake.waker.command.isEmpty, "\(wake.waker)")
      try require(waker.contains("hrtimer_wakeup") && !waker.contains("main"), "\(waker)")
    } else {
      try require(
        wake.waker.process == process && wake.waker.thread == process
          && wake.waker.command == "waits", "\(wake.waker)")
      let user = waker.filter { $0.hasPrefix("wake_by_") || $0 == "main" }
      let function = place == "wait_for_futex" ? "wake_by_futex" : "wake_by_pipe"
      try require(
        waker.contains("try_to_wake_up") && user.first == function && user.last == "main",
        "\(waker)")
    }
    return "\(place) \(wake.waker.context)"
  }
}
