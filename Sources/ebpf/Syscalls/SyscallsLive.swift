import EBPF
import EBPFSystem
import EBPFTracers

/// What is printed while recording: events as they come, and what is new every interval.
final class SyscallsLive {
  private let command: SyscallsCommand
  private let containers: ContainerNames?
  private let lines: SyscallLines
  private let begin = Clock.monotonic.now
  private var before: SyscallSummary?
  private var next: UInt64?

  init(command: SyscallsCommand, containers: ContainerNames?, telemetry: TelemetryOutput?) {
    self.command = command
    self.containers = containers
    lines = SyscallLines(
      json: command.tracing.json, stacks: command.stacks, telemetry: telemetry)
    next = command.interval.map { begin &+ UInt64($0 * 1e9) }
  }

  /// Prints what has come since the last call.
  func tick(_ tracer: SyscallTracer) throws(EBPFError) {
    if command.trace { try lines.print(tracer, since: begin) }
    guard let due = next, let interval = command.interval else { return }
    let now = Clock.monotonic.now
    // Without events this is called once for every interval.
    guard !command.trace || now >= due else { return }
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
    if command.trace { try lines.print(summary.unreadEvents, since: begin) }
  }
}
