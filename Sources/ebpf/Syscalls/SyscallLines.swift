import EBPF
import EBPFSystem
import EBPFTracers

/// Prints traced calls, one a line.
struct SyscallLines {
  let json: Bool
  let stacks: Bool
  /// Also takes every event; nil for nobody.
  private let telemetry: TelemetryOutput?
  private let names = SyscallStackNames()
  /// What makes a wall-clock time of a monotonic one.
  private let wallOffset = Clock.monotonic.wallOffset

  init(json: Bool, stacks: Bool, telemetry: TelemetryOutput?) {
    self.telemetry = telemetry
    self.json = json
    self.stacks = stacks
  }

  /// Prints every event that has arrived, in the order of their returns.
  func print(_ tracer: SyscallTracer, since begin: UInt64) throws(EBPFError) {
    var events: [SyscallEvent] = []
    repeat {
      events.removeAll(keepingCapacity: true)
      try tracer.readEvents(limit: 4096) { events.append($0) }
      try print(events, since: begin)
    } while events.count == 4096
  }

  /// Prints events.
  func print(_ events: [SyscallEvent], since begin: UInt64) throws(EBPFError) {
    guard !events.isEmpty else { return }
    var text = ""
    for event in events {
      text += json ? document(event) : line(event, begin)
      telemetry?.add(event)
    }
    try Output.write(text)
  }

  private func line(_ event: SyscallEvent, _ begin: UInt64) -> String {
    let time = Double(event.entered - min(event.entered, begin)) / 1e9
    let thread = event.thread == event.process ? "" : "/\(event.thread)"
    var columns = ColumnLine()
    columns.right(Figures.fixed(time, decimals: 6), width: 12)
    columns.skip(1)
    columns.right("\(event.process)\(thread)", width: 7)
    columns.skip(1)
    columns.left(PlainText.line(event.command), width: 16)
    columns.add(PlainText.line(event.text))
    if event.result != .neverReturns {
      columns.add(" <\(Figures.nanoseconds(event.nanoseconds))>")
    }
    var line = columns.text + "\n"
    for frame in stacks ? names.frames(of: event) : [] {
      line += String(repeating: " ", count: 14) + "    " + PlainText.line(frame) + "\n"
    }
    return line
  }

  private func document(_ event: SyscallEvent) -> String {
    JSONDocument.line(
      SyscallEventDocument(
        event, wallOffset: wallOffset, stack: stacks ? names.frames(of: event) : nil))
  }
}

/// One traced call.
struct SyscallEventDocument: Encodable {
  let event = "syscall"
  let timeNs: UInt64
  let pid: Int32
  let tid: Int32
  let comm: String
  let syscall: String
  let number: UInt32
  let compat: Bool
  let args: [Argument]
  @Nullable var result: Int64?
  @Nullable var error: String?
  @Nullable var durationNs: UInt64?
  /// For how many calls it stands: more than 1 only below --max-overhead.
  let weight: UInt32
  let stack: [String]?

  struct Argument: Encodable {
    let name: String
    let value: String
  }

  init(_ event: SyscallEvent, wallOffset: Int64, stack: [String]?) {
    timeNs = UInt64(bitPattern: Int64(bitPattern: event.entered) &+ wallOffset)
    pid = event.process
    tid = event.thread
    comm = event.command
    syscall = event.call.name
    weight = event.weight
    number = event.call.number
    compat = event.call.isCompat
    args = event.arguments.map { Argument(name: $0.name, value: $0.text) }
    switch event.result {
    case .value(let value):
      result = value
      durationNs = event.nanoseconds
    case .error(let number):
      result = Int64(-number)
      error = SyscallErrno.name(number)
      durationNs = event.nanoseconds
    case .neverReturns: break
    }
    self.stack = stack
  }
}
