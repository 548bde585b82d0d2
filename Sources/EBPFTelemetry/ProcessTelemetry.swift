public import EBPFTracers
internal import EBPFSystem
public import OTLP

/// Makes spans of programs, from execve(2) to their end, by the conventions for command line programs:
/// https://opentelemetry.io/docs/specs/semconv/cli/cli-spans/
public struct ProcessTelemetry: Sendable {
  private var pending: PendingTelemetry
  private var losses = LossWatch(tracer: "processes")
  private var time = MonotonicTime()

  /// What was converted and what not. An event is a program that ended.
  public var statistics: ConversionStatistics { pending.statistics }

  /// Nothing yet.
  public init(_ options: TelemetryOptions) { pending = PendingTelemetry(options) }

  /// To be told when the tracer is started again: it counts from zero then.
  public mutating func beginAnew() { losses.beginAnew() }

  /// Makes a span of a program that ended if one is wanted of it.
  public mutating func add(_ event: ProcessEvent) {
    switch event {
    case .began(let run):
      // Its group may be gone when it ends, and is remembered.
      _ = pending.options.containers?.place(of: run.cgroup)
    case .ended(let run):
      pending.statistics.events += 1
      guard pending.options.processSpans.wants(run) else {
        pending.statistics.unwanted += 1
        return
      }
      addSpan(of: run)
    }
  }

  /// The spans since the last collection.
  public mutating func collect(_ recording: ProcessRecording, at now: UInt64? = nil)
    -> [TelemetryExport]
  {
    time.measure()
    losses.report(recording.statistics, at: now ?? Clock.wall.now, &pending)
    return pending.take()
  }

  private mutating func addSpan(of run: ProcessRun) {
    var list = pending.attributes
    list.add(Key.processID, run.process)
    list.add(Key.processParentID, run.parent)
    list.add(Key.processName, run.name)
    if run.path.hasPrefix("/"), !run.pathIsCut { list.add(Key.processPath, run.path) }
    list.add(Key.processCommand, run.arguments.first)
    if pending.options.processSpans.arguments, !run.arguments.isEmpty {
      list.add(Key.processArguments, run.arguments)
    }
    list.add(Key.processUserID, run.user)
    if run.origin != .executed { list.add(Key.processOrigin, run.origin.rawValue) }
    list.add(container: run.cgroup, pending.options.containers)
    // One that was picked among several stands for all of them.
    if run.weight > 1 { list.add(Key.weight, run.weight) }
    var failure: String?
    switch run.ending {
    case .exited(let status):
      list.add(Key.exitCode, status)
      if status != 0 {
        list.add(Key.errorType, String(status))
        failure = "exited with status \(status)"
      }
    case .killed(_, let dumpsCore):
      list.add(Key.errorType, run.ending?.signalName)
      failure =
        "killed by \(run.ending?.signalName ?? "a signal")" + (dumpsCore ? ", core dumped" : "")
    case .replaced, nil: list.add(Key.processReplaced, true)
    }
    // What ran has ended: whoever has its id now speaks for something else.
    pending.addSpan(
      run.name, .internal, from: time.unix(run.start), to: time.unix(run.end ?? run.start), list,
      process: nil, failure: failure)
  }
}
