import EBPF
import EBPFSystem
import EBPFTracers

/// One recording from start to stop: starts the command if there is one, waits for the end of time,
/// of the command or of the user's patience, and shows how it is going.
struct TracerRecording<Traced: Tracer> {
  /// How long to record; nil until interrupted, or until the command ends.
  let seconds: Double?
  /// The command to start; empty for none.
  let command: [String]
  /// What the progress line counts: `samples`.
  let noun: String
  /// Seconds between calls of `onInterval`; nil for none.
  var interval: Double?

  /// Records. Both closures run on the calling thread, between waits.
  ///
  /// - Parameters:
  ///   - make: the tracer, for the process of the command if there is one (children included).
  ///   - isFull: true ends the recording; asked at least twice a second.
  ///   - onInterval: called every ``interval`` seconds while recording.
  func run(
    _ make: (_ command: Int32?) -> Traced,
    isFull: (Traced) -> Bool = { _ in false },
    onInterval: (Traced) throws(EBPFError) -> Void = { _ in }
  ) throws(EBPFError) -> Traced.Result {
    let interrupts = try system("signalfd") { () throws(Errno) in try InterruptSignals() }
    guard !command.isEmpty else {
      let tracer = make(nil)
      try tracer.start()
      try wait(tracer, interrupts, child: nil, isFull, onInterval)
      return try tracer.stop()
    }
    let child = try system("fork") { () throws(Errno) in try ChildProcess(command) }
    let tracer = make(child.id)
    try tracer.start()
    do throws(Errno) { try child.release() } catch {
      _ = try tracer.stop()
      throw EBPFError(
        error == .noEntry ? .notFound : .system, "cannot run '\(command[0])'",
        systemCall: .init(call: "execvp", errno: error.rawValue, name: error.name),
        hint: error == .noEntry ? "give a path, or a command in PATH" : nil)
    }
    try wait(tracer, interrupts, child: child.descriptor.rawValue, isFull, onInterval)
    return try tracer.stop()
  }

  /// Returns when the recording should end. A second interrupt ends the process at once.
  private func wait(
    _ tracer: Traced, _ interrupts: borrowing InterruptSignals, child: Int32?,
    _ isFull: (Traced) -> Bool, _ onInterval: (Traced) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    let descriptor = interrupts.descriptor.rawValue
    let waits = try system("epoll_create1") { () throws(Errno) in try WaitSet() }
    try system("epoll_ctl") { () throws(Errno) in
      try waits.add(descriptor, tag: RecordingTag.interrupt)
      if let child { try waits.add(child, tag: RecordingTag.child) }
    }
    var progress = ProgressLine(seconds: seconds, noun: noun)
    let begin = ContinuousClock.now
    var next = interval
    while true {
      let elapsed = begin.duration(to: .now).seconds
      let left = seconds.map { $0 - elapsed }
      if let left, left <= 0 { break }
      if let due = next, let interval, elapsed >= due {
        progress.clear()
        try onInterval(tracer)
        next = max(due + interval, elapsed)
      }
      try progress.show(elapsed: elapsed) { () throws(EBPFError) in try tracer.statistics() }
      let pause = min(left ?? 0.5, next.map { max($0 - elapsed, 0) } ?? 0.5, 0.5)
      let ready = try system("epoll_wait") { () throws(Errno) in
        try waits.wait(milliseconds: Int32((pause * 1000).rounded(.up)))
      }
      if ready.contains(RecordingTag.interrupt) {
        // From here on a second Ctrl-C ends the process at once.
        try system("read") { () throws(Errno) in try interrupts.takeAndRestore() }
      }
      if !ready.isEmpty || isFull(tracer) { break }
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

/// What woke the wait.
private enum RecordingTag {
  static let interrupt: UInt64 = 1
  static let child: UInt64 = 2
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
