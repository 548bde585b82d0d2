import EBPF
import EBPFSystem
import EBPFTracers

/// Ends a recording at Ctrl-C or SIGTERM. From then on the next one ends the process at once.
final class InterruptPart: RecordingPart {
  private let signals: InterruptSignals

  /// Blocks the signals: make it before any other thread is started.
  init() throws(EBPFError) {
    signals = try RecordingLoop.system("signalfd") { () throws(Errno) in try InterruptSignals() }
  }

  /// Begins to listen.
  func join(_ loop: RecordingLoop) throws(EBPFError) {
    try loop.watch(signals.descriptor.rawValue, for: self)
  }

  func wake(_ cause: RecordingLoop.Cause, in loop: RecordingLoop) throws(EBPFError) {
    // First, so that the next interrupt finds everything given back.
    loop.end()
    try RecordingLoop.system("read") { () throws(Errno) in try signals.takeAndRestore() }
    try loop.unwatch(signals.descriptor.rawValue)
  }
}

/// Starts the command that is recorded, and ends the recording when it ends.
final class CommandPart: RecordingPart {
  private let command: [String]
  private let child: ChildProcess
  private var held: (start: ProgramStart, prepare: (Int32) throws(EBPFError) -> Void)?
  /// When the command was let run, in seconds of the loop.
  private var runningSince = 0.0
  /// Seconds between looks at a command that is about to be held, at least; and at most this part of
  /// the time that it has run.
  private static let lookInterval = (least: 0.001, part: 1.0 / 16)

  /// Makes the process, which waits before its first instruction; a quiet one does not read from the
  /// terminal or write to it.
  init(_ command: [String], isQuiet: Bool = false) throws(EBPFError) {
    self.command = command
    child = try RecordingLoop.system("fork") { () throws(Errno) in
      try ChildProcess(command, isQuiet: isQuiet)
    }
  }

  /// The id of the command's process.
  var id: Int32 { child.id }

  /// Has the command held where its program begins, before anything of it runs and again when its
  /// libraries are there, until `prepare` has returned. Where the kernel refuses that it just runs, and
  /// the reason is returned.
  func hold(_ prepare: @escaping (Int32) throws(EBPFError) -> Void) -> Errno? {
    do throws(Errno) {
      held = (try ProgramStart(of: child), prepare)
      return nil
    } catch {
      held = nil
      return error
    }
  }

  /// Lets the command run.
  func join(_ loop: RecordingLoop) throws(EBPFError) {
    do throws(Errno) { try child.release(watchedBy: held?.start) } catch {
      throw EBPFError(
        error == .noEntry ? .notFound : .system, "cannot run '\(command[0])'",
        systemCall: .init(call: "execvp", errno: error.rawValue, name: error.name),
        hint: error == .noEntry ? "give a path, or a command in PATH" : nil)
    }
    try loop.watch(child.descriptor.rawValue, for: self)
    runningSince = loop.elapsed
    if held != nil { loop.setClock(every: Self.lookInterval.least, for: self) }
  }

  func wake(_ cause: RecordingLoop.Cause, in loop: RecordingLoop) throws(EBPFError) {
    guard cause == .clock else { return loop.end() }
    guard let (start, prepare) = held else { return loop.setClock(every: nil, for: self) }
    if start.isHeld() {
      try prepare(id)
      start.proceed()
    }
    if start.isOver { held = nil }
    let (least, part) = Self.lookInterval
    loop.setClock(
      every: held == nil ? nil : max(least, (loop.elapsed - runningSince) * part), for: self)
  }

  func ended() { held?.start.letGo() }
}

/// Looks at how a recording is going: shows its progress, and ends it when it is full.
final class ProgressPart<Traced: Tracer>: RecordingPart {
  /// Seconds between looks.
  static var interval: Double { 0.5 }

  private let tracer: Traced
  private let isFull: (Traced) -> Bool
  private var line: ProgressLine?

  init(_ tracer: Traced, line: ProgressLine?, isFull: @escaping (Traced) -> Bool) {
    self.tracer = tracer
    self.line = line
    self.isFull = isFull
  }

  func wake(_ cause: RecordingLoop.Cause, in loop: RecordingLoop) throws(EBPFError) {
    try line?.show(elapsed: loop.elapsed) { () throws(EBPFError) in try tracer.statistics() }
    if isFull(tracer) { loop.end() }
  }

  /// Takes the line away, so that something else can be printed.
  func clear() { line?.clear() }
}

/// Calls something every so many seconds.
final class IntervalPart: RecordingPart {
  private let body: () throws(EBPFError) -> Void

  init(_ body: @escaping () throws(EBPFError) -> Void) { self.body = body }

  func wake(_ cause: RecordingLoop.Cause, in loop: RecordingLoop) throws(EBPFError) { try body() }
}
