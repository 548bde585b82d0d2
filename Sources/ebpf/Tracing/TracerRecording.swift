import EBPF
import EBPFSystem
import EBPFTracers

/// Events that are printed while they happen.
enum EventPrinting {
  /// Seconds between two looks for them: what a person takes for at once.
  static let interval = 0.02
}

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
  /// Kept up to date while recording; nil when nobody asks for containers.
  var containers: ContainerNames?
  /// False when something else has the terminal: the command then leaves it alone, too.
  var showsProgress = true
  /// Holds the command where its program begins until it is prepared, where that can be done.
  var holdsCommand = false

  /// Records. All closures run on the calling thread.
  ///
  /// - Parameters:
  ///   - make: the tracer, for the process of the command if there is one (children included).
  ///   - prepare: makes ready what the tracer should know of a program before it runs.
  ///   - isFull: true ends the recording; asked at least twice a second.
  ///   - onStart: called once the tracer records, before the command runs: what else takes part
  ///     joins the loop here.
  ///   - onInterval: called every ``interval`` seconds while recording.
  func run(
    _ make: (_ command: Int32?) -> Traced,
    prepare: @escaping (Traced, Int32) throws(EBPFError) -> Void = { _, _ in },
    isFull: @escaping (Traced) -> Bool = { _ in false },
    onStart: (Traced, RecordingLoop) throws(EBPFError) -> Void = { _, _ in },
    onInterval: @escaping (Traced) throws(EBPFError) -> Void = { _ in }
  ) throws(EBPFError) -> Traced.Result {
    let interrupts = try InterruptPart()
    let child: CommandPart? =
      command.isEmpty ? nil : try CommandPart(command, isQuiet: !showsProgress)
    let loop = try RecordingLoop()
    let tracer = make(child?.id)
    try tracer.start()
    do throws(EBPFError) {
      try interrupts.join(loop)
      try onStart(tracer, loop)
      if holdsCommand,
        let refusal = child?.hold({ (process) throws(EBPFError) in try prepare(tracer, process) }),
        showsProgress
      {
        Output.note(
          "note: the command is not held until its unwind tables are ready (\(refusal.name)), so that "
            + "its first stacks may be cut; holding takes CAP_SYS_PTRACE and x86-64")
      }
      try child?.join(loop)
    } catch {
      loop.end()
      _ = try tracer.stop()
      throw error
    }
    let progress = ProgressPart(
      tracer, line: showsProgress ? ProgressLine(seconds: seconds, noun: noun) : nil,
      isFull: isFull)
    loop.setClock(every: ProgressPart<Traced>.interval, for: progress)
    let ticks = IntervalPart { () throws(EBPFError) in
      progress.clear()
      try onInterval(tracer)
    }
    loop.setClock(every: interval, for: ticks)
    if let containers {
      let groups = IntervalPart { () throws(EBPFError) in containers.refresh() }
      loop.setClock(every: ProgressPart<Traced>.interval, for: groups)
      containers.refresh()
    }
    try progress.wake(.clock, in: loop)
    try loop.run(seconds: seconds)
    progress.clear()
    containers?.refresh()
    return try tracer.stop()
  }
}
