import EBPF
import EBPFSystem
import EBPFTracers

/// Prints programs as they end, and as they begin where that is wanted; one a line.
final class ProcessLines {
  private let command: ProcessesCommand
  private let containers: ContainerNames?
  /// Also takes every event; nil for nobody.
  private let telemetry: TelemetryOutput?
  /// What makes a wall-clock time of a monotonic one.
  private let wallOffset = Clock.monotonic.wallOffset
  /// What has been seen, printed or not.
  private(set) var totals = ProcessTotals()

  init(command: ProcessesCommand, containers: ContainerNames?, telemetry: TelemetryOutput?) {
    self.command = command
    self.containers = containers
    self.telemetry = telemetry
  }

  /// Prints the columns' names.
  func begin() throws(EBPFError) {
    guard !command.tracing.json else { return }
    let event = command.starts ? "EVENT" : ""
    try Output.write(
      line("TIME", event, "PID", "PPID", "UID", "EXIT", "DURATION", "CONTAINER", "COMMAND"))
  }

  /// Prints what has happened.
  func print(_ tracer: ProcessTracer) throws(EBPFError) {
    var events: [ProcessEvent] = []
    var records = 0
    repeat {
      events.removeAll(keepingCapacity: true)
      records = try tracer.readEvents(limit: 4096) { events.append($0) }
      try print(events)
    } while records == 4096
  }

  /// Prints the rest, and what still runs.
  func finish(_ recording: ProcessRecording) throws(EBPFError) {
    try print(recording.unreadEvents)
    totals.running = UInt64(recording.running.count)
    guard !command.failed else { return }
    try Output.write(recording.running.map { text("running", $0, at: $0.start) }.joined())
  }

  private func print(_ events: [ProcessEvent]) throws(EBPFError) {
    var lines = ""
    for event in events {
      telemetry?.add(event)
      totals.add(event)
      switch event {
      case .began(let run): if command.starts { lines += text("exec", run, at: run.start) }
      case .ended(let run):
        guard command.forks || run.origin != .forked else { continue }
        guard !command.failed || run.ending?.isFailure == true else { continue }
        lines += text("exit", run, at: run.end ?? run.start)
      }
    }
    if !lines.isEmpty { try Output.write(lines) }
  }

  // MARK: -

  private func text(_ event: String, _ run: ProcessRun, at time: UInt64) -> String {
    guard !command.tracing.json else {
      return JSONDocument.line(
        ProcessEventDocument(event, run, at: time, wallOffset: wallOffset, containers: containers))
    }
    return line(
      NetworkEventLines.timeOfDay(time, wallOffset), command.starts ? event : "",
      String(run.process), String(run.parent), String(run.user),
      event == "running" ? "running" : run.ending?.text ?? "",
      run.nanoseconds.map { Figures.nanoseconds($0) } ?? "",
      containers?.column(cgroup: run.cgroup, process: run.process) ?? "-", run.text)
  }

  private func line(
    _ time: String, _ event: String, _ process: String, _ parent: String, _ user: String,
    _ exit: String, _ duration: String, _ container: String, _ text: String
  ) -> String {
    var line = ColumnLine()
    if command.timestamp { line.left(time, width: 16) }
    if !event.isEmpty { line.left(event, width: 8) }
    line.left(process, width: 8)
    line.left(parent, width: 8)
    line.left(user, width: 6)
    line.left(exit, width: 9)
    line.right(duration, width: 9)
    line.skip(2)
    if command.tracing.containers { line.left(PlainText.line(container), width: 13) }
    line.add(PlainText.line(text))
    return line.text + "\n"
  }
}

extension ProcessRun.Ending {
  /// `0`, `SIGKILL`, `SIGSEGV+core`, `exec`.
  var text: String {
    switch self {
    case .exited(let status): String(status)
    case .killed(_, let dumpsCore): (signalName ?? "signal") + (dumpsCore ? "+core" : "")
    case .replaced: "exec"
    }
  }
}

extension ProcessRun {
  /// The path and the arguments after the first, or the process's name in brackets.
  var text: String {
    guard origin == .executed else { return "[\(command)]" }
    let words = [path + (pathIsCut ? "..." : "")] + arguments.dropFirst()
    return words.joined(separator: " ") + (argumentsAreCut ? "..." : "")
  }
}
