import EBPF
import EBPFSystem
import EBPFTracers

/// One recording from start to stop: starts the command if there is one, waits for the end of time,
/// of the command or of the user's patience, and shows how it is going.
struct ProfileRecording {
  var configuration: CPUProfilerConfiguration
  /// How long to record; nil until interrupted, or until the command ends.
  let seconds: Double?
  /// The command to start; empty for none.
  let command: [String]

  func run() throws(EBPFError) -> CPUProfile {
    let interrupts = try system("signalfd") { () throws(Errno) in try InterruptSignals() }
    guard !command.isEmpty else {
      let profiler = CPUProfiler(configuration)
      try profiler.start()
      try wait(profiler, interrupts, child: nil)
      return try profiler.stop()
    }
    let child = try system("fork") { () throws(Errno) in try ChildProcess(command) }
    var configuration = configuration
    configuration.filter.processes = [child.id]
    configuration.filter.followsChildren = true
    let profiler = CPUProfiler(configuration)
    try profiler.start()
    do throws(Errno) { try child.release() } catch {
      _ = try profiler.stop()
      throw EBPFError(
        error == .noEntry ? .notFound : .system, "cannot run '\(command[0])'",
        systemCall: .init(call: "execvp", errno: error.rawValue, name: error.name),
        hint: error == .noEntry ? "give a path, or a command in PATH" : nil)
    }
    try wait(profiler, interrupts, child: child.descriptor.rawValue)
    return try profiler.stop()
  }

  private enum Tag {
    static let interrupt: UInt64 = 1
    static let child: UInt64 = 2
  }

  /// Returns when the recording should end. A second interrupt ends the process at once.
  private func wait(
    _ profiler: CPUProfiler, _ interrupts: borrowing InterruptSignals, child: Int32?
  ) throws(EBPFError) {
    let descriptor = interrupts.descriptor.rawValue
    let waits = try system("epoll_create1") { () throws(Errno) in try WaitSet() }
    try system("epoll_ctl") { () throws(Errno) in
      try waits.add(descriptor, tag: Tag.interrupt)
      if let child { try waits.add(child, tag: Tag.child) }
    }
    var progress = ProgressLine(seconds: seconds)
    let begin = ContinuousClock.now
    while true {
      let elapsed = begin.duration(to: .now).seconds
      let left = seconds.map { $0 - elapsed }
      if let left, left <= 0 { break }
      try progress.show(elapsed: elapsed) { () throws(EBPFError) in try profiler.statistics() }
      let milliseconds = min(left.map { $0 * 1000 } ?? 500, 500)
      let ready = try system("epoll_wait") { () throws(Errno) in
        try waits.wait(milliseconds: Int32(milliseconds.rounded(.up)))
      }
      if ready.contains(Tag.interrupt) {
        // From here on a second Ctrl-C ends the process at once.
        try system("read") { () throws(Errno) in try interrupts.takeAndRestore() }
      }
      if !ready.isEmpty || profiler.isFull { break }
    }
    progress.clear()
  }

  private func system<Result: ~Copyable>(
    _ call: String, _ body: () throws(Errno) -> Result
  ) throws(EBPFError) -> Result {
    do throws(Errno) { return try body() } catch {
      throw EBPFError(
        .system, "\(call) failed",
        systemCall: .init(call: call, errno: error.rawValue, name: error.name))
    }
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
