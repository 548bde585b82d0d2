import EBPF
import EBPFSystem
import EBPFTracers

/// What is printed while recording: events as they come, and what is new every interval.
final class SyscallsLive {
  private let command: SyscallsCommand
  private let containers: ContainerNames?
  private let lines: SyscallLines
  /// Takes events that are not printed; nil for nobody.
  private let telemetry: TelemetryOutput?
  private let begin = Clock.monotonic.now
  private var before: SyscallSummary?
  private var next: UInt64?

  init(command: SyscallsCommand, containers: ContainerNames?, telemetry: TelemetryOutput?) {
    self.command = command
    self.containers = containers
    self.telemetry = telemetry
    lines = SyscallLines(
      json: command.tracing.json, stacks: command.stacks, telemetry: telemetry)
    next = command.interval.map { begin &+ UInt64($0 * 1e9) }
  }

  /// Prints what has come since the last call.
  func tick(_ tracer: SyscallTracer) throws(EBPFError) {
    if command.trace {
      try lines.print(tracer, since: begin)
    } else if let telemetry {
      try tracer.readEvents { telemetry.add($0) }
    }
    guard let due = next, let interval = command.interval else { return }
    let now = Clock.monotonic.now
    // Without events this is called once for every interval.
    guard !tracer.configuration.sendsEvents || now >= due else { return }
    next = max(due &+ UInt64(interval * 1e9), now)
    let present = try tracer.snapshot()
    let change = before.map { present.since($0) } ?? present
    before = present
    if command.tracing.json {
      try Output.write(
        JSONDocument.line(SyscallsIntervalDocument(change, at: Clock.wall.now, command: command)))
    } else {
      let elapsed = Figures.seconds(Double(now - begin) / 1e9)
      try Output.write(
        "[\(elapsed)]\n" + SyscallsTable(change, command: command, containers: containers).text()
          + "\n")
    }
  }

  /// Prints the events that were left when recording ended.
  func finish(_ summary: SyscallSummary) throws(EBPFError) {
    if command.trace {
      try lines.print(summary.unreadEvents, since: begin)
    } else if let telemetry {
      for event in summary.unreadEvents { telemetry.add(event) }
    }
  }
}
