import EBPF
import EBPFSystem
import EBPFTracers
import Glibc
import Profiles
import TestSupport
import Testing

/// The workload `waits`, recorded from before its threads begin until all of them wait, with what the
/// threads say about themselves and what the kernel says about them.
struct KnownWaits {
  let result: WallProfile
  let process: Int32
  /// By name; the main thread is not among them.
  private(set) var threads: [String: Figures] = [:]
  /// The main thread's switches, less those before recording.
  let mainSwitches: (voluntary: UInt64, involuntary: UInt64)
  /// Recording ended not before the first, and not after the second: of the monotonic clock.
  let end: (earliest: UInt64, latest: UInt64)

  /// What the machine below a virtual one took from its CPUs meanwhile, at most, in nanoseconds.
  let stolen: UInt64

  /// What is known of one thread; times in nanoseconds, moments of the monotonic clock.
  struct Figures {
    var thread: Int32 = 0
    /// By its own clocks.
    var made: UInt64 = 0
    var began: UInt64 = 0
    var worked: UInt64 = 0
    var used: UInt64 = 0
    /// /proc/PID/task/TID/schedstat.
    var ran: UInt64 = 0
    var waitedForCPU: UInt64 = 0
    /// /proc/PID/task/TID/status.
    var voluntary: UInt64 = 0
    var involuntary: UInt64 = 0
  }

  init(workload: String, _ configuration: WallProfilerConfiguration) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/report"
    let child = try StoppedProcess(workload: workload, [path])
    process = child.id
    var configuration = configuration
    if configuration.filter.isEmpty { configuration.filter.processes = [child.id] }
    let before = try Self.switches(process, process)
    let stolenBefore = try Self.stolen()
    let profiler = WallProfiler(configuration)
    try profiler.start()
    let started = Clock.monotonic.now
    child.resume()
    var lines: [Substring] = []
    try Self.until("all threads wait") {
      lines = FileSystem.exists(path) ? try SystemFile.lines(path) : []
      guard lines.contains("done") else { return false }
      return try Self.states(child.id).allSatisfy { $0 == "S" }
    }
    let earliest = Clock.monotonic.now
    for line in lines where line != "done" && !line.isEmpty {
      let words = line.split(separator: " ")
      var figures = Figures()
      for word in words.dropFirst() {
        let parts = word.split(separator: "=")
        let value = try #require(UInt64(parts[1]))
        switch parts[0] {
        case "tid": figures.thread = Int32(value)
        case "made": figures.made = value
        case "began": figures.began = value
        case "worked": figures.worked = value
        case "used": figures.used = value
        default: Issue.record("\(line)")
        }
      }
      let task = "/proc/\(child.id)/task/\(figures.thread)"
      let schedule = try SystemFile.text(task + "/schedstat").split { $0 == " " || $0 == "\n" }
      figures.ran = try #require(UInt64(schedule[0]))
      figures.waitedForCPU = try #require(UInt64(schedule[1]))
      (figures.voluntary, figures.involuntary) = try Self.switches(child.id, figures.thread)
      threads[String(words[0])] = figures
    }
    let after = try Self.switches(process, process)
    mainSwitches = (after.voluntary - before.voluntary, after.involuntary - before.involuntary)
    result = try profiler.stop()
    // Counted in whole ticks.
    stolen = try Self.stolen() - stolenBefore + 10_000_000
    end = (earliest, started + result.statistics.recordedNanoseconds)
    child.send(SIGKILL)
  }

  /// What was recorded of a thread.
  func times(_ name: String) throws -> ThreadTimes {
    let thread = try #require(threads[name]).thread
    return try #require(result.threads.first { $0.thread == thread })
  }

  /// The waits of a thread in a function: by state, in nanoseconds, and how many of them.
  func waits(_ name: String, in function: String) throws -> [String: (time: UInt64, count: Int64)] {
    let profile = result.profile
    let thread = try #require(threads[name]).thread
    var sums: [String: (time: UInt64, count: Int64)] = [:]
    for sample in profile.samples where profile.processes[sample.process].tid == thread {
      let names = profile.stacks[sample.stack].map { profile.frames[$0].name ?? "?" }
      guard names.contains(function) else { continue }
      let sum = sums[names[0]] ?? (0, 0)
      sums[names[0]] = (sum.time + UInt64(sample.values[1]), sum.count + sample.values[0])
    }
    return sums
  }

  /// Looks at `condition` until it holds; a minute without it is a failure.
  static func until(_ what: String, _ condition: () throws -> Bool) throws {
    let deadline = Clock.monotonic.now + 60_000_000_000
    while try !condition() {
      try #require(Clock.monotonic.now < deadline, "waited a minute for: \(what)")
      usleep(2_000)
    }
  }

  /// The eighth figure of the first line of /proc/stat (proc(5)), in nanoseconds.
  private static func stolen() throws -> UInt64 {
    let words = try SystemFile.lines("/proc/stat")[0].split(separator: " ")
    return try #require(words.count > 8 ? UInt64(words[8]) : nil) * 10_000_000
  }

  /// The state letters of a process's threads.
  static func states(_ process: Int32) throws -> [String] {
    try Command.output(["ls", "/proc/\(process)/task"]).split(separator: "\n").map { thread in
      let text = try SystemFile.text("/proc/\(process)/task/\(thread)/stat")
      return String(try #require(text.split(separator: ")").last).dropFirst().prefix(1))
    }
  }

  /// `voluntary_ctxt_switches` and the other one.
  static func switches(
    _ process: Int32, _ thread: Int32
  ) throws -> (voluntary: UInt64, involuntary: UInt64) {
    let lines = try SystemFile.lines("/proc/\(process)/task/\(thread)/status")
    func value(_ name: String) throws -> UInt64 {
      let line = try #require(lines.first { $0.hasPrefix(name + ":") })
      return try #require(UInt64(line.split { $0 == "\t" || $0 == " " || $0 == ":" }[1]))
    }
    return (try value("voluntary_ctxt_switches"), try value("nonvoluntary_ctxt_switches"))
  }
}
