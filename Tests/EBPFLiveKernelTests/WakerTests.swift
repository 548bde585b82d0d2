import EBPFTracers
import Glibc
import Profiles
import TestSupport
import Testing

/// Who ends waits, on the running kernel, against a thread that is woken in three known ways.
@Suite(.serialized) struct WakerTests {
  private func record(
    _ workload: String, rounds: Int, _ change: (inout WallProfilerConfiguration) -> Void = { _ in }
  ) throws -> (result: WallProfile, process: Int32) {
    let child = try StoppedProcess(workload: workload, ["wakers", "\(rounds)"])
    var configuration = WallProfilerConfiguration()
    configuration.filter.processes = [child.id]
    configuration.separatesThreads = true
    configuration.recordsWakers = true
    change(&configuration)
    let profiler = WallProfiler(configuration)
    try profiler.start()
    #expect(try child.finish() == 0)
    return (try profiler.stop(), child.id)
  }

  /// The stack of a wake: below the separator the wait, above it the waker, both leaf first.
  private func parts(_ result: WallProfile, _ wake: WallWake) throws -> (
    wait: [String], waker: [String]
  ) {
    let names = result.profile.stacks[wake.stack].map { result.profile.frames[$0].name ?? "?" }
    let end = try #require(names.firstIndex(of: WallWake.separator))
    #expect(names[0] == wake.waker.label)
    return (Array(names[(end + 1)...]), names[1..<end].reversed())
  }

  @Test(arguments: [("waits", false), ("waits-noframes", false), ("waits", true)])
  func `each wake-up has its waker, by name`(workload: String, usesThreadTable: Bool) throws {
    let (result, process) = try record(workload, rounds: 300) {
      $0.usesThreadTable = usesThreadTable
    }
    #expect(result.statistics.dropped == 0)
    var counts: [String: Int64] = [:]
    for wake in result.wakes {
      let (wait, waker) = try parts(result, wake)
      guard let place = wait.first(where: { $0.hasPrefix("wait_for_") && $0 != "wait_for_all" })
      else { continue }
      #expect(wait[0] == "[blocked: sleeping]")
      #expect(result.profile.processes[wake.process].command == "woken")
      counts["\(place) \(wake.waker.context)", default: 0] += wake.count
      if wake.waker.context == .unknown { continue }
      guard place != "wait_for_timer" else {
        #expect(wake.waker.process == 0 && wake.waker.command.isEmpty, "\(wake.waker)")
        #expect(waker.contains("hrtimer_wakeup"), "\(waker)")
        #expect(!waker.contains("main"))
        continue
      }
      #expect(wake.waker.process == process && wake.waker.thread == process)
      #expect(wake.waker.command == workload)
      let function = place == "wait_for_futex" ? "wake_by_futex" : "wake_by_pipe"
      #expect(waker.contains("try_to_wake_up"), "\(waker)")
      // Where the caller of main is, nobody asks.
      let user = waker.filter { $0.hasPrefix("wake_by_") || $0 == "main" }
      #expect(user.first == function && user.last == "main", "\(waker)")
    }
    // A timer may run out before the thread has left its CPU: then nobody has to wake it.
    let timer = counts.removeValue(forKey: "wait_for_timer interrupt") ?? 0
    #expect((250...300).contains(timer))
    // What the tracer was not told of, it tells.
    let unknown = counts.removeValue(forKey: "wait_for_timer unknown") ?? 0
    #expect(unknown <= Int64(result.inferredSwitches))
    #expect(counts == ["wait_for_futex thread": 300, "wait_for_pipe thread": 300])
    // All blocked time of the thread that was woken is there.
    let woken = try #require(result.threads.first { $0.command == "woken" })
    let known = result.wakes.reduce(0) { sum, wake in
      result.profile.processes[wake.process].tid == woken.thread
        ? sum + UInt64(wake.nanoseconds) : sum
    }
    #expect(known == woken.blocked)
  }

  @Test func `time in the stacks is the threads' time, with wakers as without`() throws {
    for records in [false, true] {
      let (result, _) = try record("waits", rounds: 50) { $0.recordsWakers = records }
      #expect(
        result.profile.samples.reduce(0) { $0 + UInt64($1.values[1]) }
          == result.threads.reduce(0) { $0 + $1.runnable + $1.blocked })
      #expect(result.wakes.isEmpty == !records)
      let separators = result.profile.frames.filter { $0.name == WallWake.separator }
      #expect(separators.isEmpty == !records)
    }
  }

  @Test func `what finds no room is counted, and no time is lost`() throws {
    let child = try StoppedProcess(workload: "waits", ["switch", "5000", "stop"])
    var configuration = WallProfilerConfiguration()
    configuration.filter.processes = [child.id]
    configuration.recordsWakers = true
    configuration.tableEntries = 1
    configuration.ringBytes = 4096
    configuration.readsRing = false
    let profiler = WallProfiler(configuration)
    try profiler.start()
    try child.resumeUntilStopped()
    try KnownWaits.until("both are stopped") {
      try KnownWaits.states(child.id) == ["T", "T"]
    }
    let result = try profiler.stop()
    child.send(SIGKILL)
    #expect(result.statistics.dropped > 0 && result.unplacedNanoseconds > 0)
    #expect(result.wakes.reduce(0) { $0 + $1.count } > 0)
    let placed = result.profile.samples.reduce(0) { $0 + UInt64($1.values[1]) }
    #expect(
      placed + result.unplacedNanoseconds
        == result.threads.reduce(0) { $0 + $1.runnable + $1.blocked })
  }

  @Test func `waits shorter than asked for have no waker`() throws {
    let (result, _) = try record("waits", rounds: 50) { $0.minimumWait = 60_000_000_000 }
    #expect(result.wakes.isEmpty)
  }
}
