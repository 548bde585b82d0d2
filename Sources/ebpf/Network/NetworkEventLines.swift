import EBPF
import EBPFSystem
import EBPFTracers

/// Events as lines: aligned columns for a person, or one JSON object each.
struct NetworkEventLines: Sendable {
  let json: Bool
  let timestamps: Bool
  let wide: Bool
  /// What turns times of the monotonic clock into time since 1970.
  let wallOffset: Int64
  let containers: ContainerNames?

  /// The columns' names.
  var heading: String {
    row(
      time: "TIME", "EVENT", "PID", "COMMAND", "LOCAL", "REMOTE", "SENT", "RECEIVED", "MS", "")
  }

  /// Writes events, those that came together at once. When nobody reads any more there is nobody to tell.
  func write(_ events: [NetworkEvent]) {
    var lines = ""
    for event in events {
      lines +=
        json ? JSONDocument.line(NetworkEventDocument(event, wallOffset, containers)) : text(event)
    }
    do throws(EBPFError) { try Output.write(lines) } catch { return }
  }

  private func text(_ event: NetworkEvent) -> String {
    switch event {
    case .connected(let connection):
      return line("connect", connection, milliseconds: connection.handshakeNanoseconds)
    case .accepted(let connection):
      return line("accept", connection, milliseconds: connection.acceptNanoseconds)
    case .closed(let connection):
      return line(
        "close", connection, milliseconds: connection.durationNanoseconds, hasBytes: true,
        detail: [
          connection.role == .existing ? "existing" : "", connection.errorName ?? "",
          connection.retransmits.total > 0 ? "\(connection.retransmits.total) retransmitted" : "",
        ])
    case .failed(let connection):
      return line(
        "fail", connection, milliseconds: connection.durationNanoseconds,
        detail: [connection.errorName ?? "given up"])
    case .retransmitted(let connection):
      return line(
        "retrans", connection, milliseconds: nil,
        detail: [connection.state, connection.health.congestionState])
    case .query(let query): return line(query)
    }
  }

  private func line(
    _ event: String, _ connection: NetworkConnection, milliseconds: UInt64?, hasBytes: Bool = false,
    detail: [String] = []
  ) -> String {
    row(
      time: timestamps ? Self.timeOfDay(connection.lastSeen, wallOffset) : "", event,
      connection.process.map { String($0.id) } ?? "-", connection.process?.command ?? "-",
      NetworkText.endpoint(connection.local, wide: wide),
      NetworkText.endpoint(connection.remote, wide: wide),
      hasBytes ? Figures.bytes(connection.sentBytes) : "",
      hasBytes ? Figures.bytes(connection.receivedBytes) : "", Self.milliseconds(milliseconds),
      detail.filter { !$0.isEmpty }.joined(separator: ", "))
  }

  private func line(_ query: DNSQuery) -> String {
    row(
      time: Self.timeOfDay(query.time, wallOffset), "query",
      query.process.map { String($0.id) } ?? "-", query.process?.command ?? "-",
      NetworkText.endpoint(query.local, wide: wide), NetworkText.endpoint(query.server, wide: wide),
      "", "", Self.milliseconds(query.answer?.latencyNanoseconds),
      "\(query.type) \(query.name) \(query.answer?.code ?? "unanswered")")
  }

  private func row(
    time: String, _ event: String, _ pid: String, _ command: String, _ local: String,
    _ remote: String, _ sent: String, _ received: String, _ milliseconds: String, _ detail: String
  ) -> String {
    let width = wide ? 47 : 24
    var line = ColumnLine()
    if timestamps { line.left(time, width: 16) }
    line.left(event, width: 8)
    line.left(pid, width: 8)
    line.left(PlainText.line(command), width: 16)
    line.left(local, width: width)
    line.left(remote, width: width)
    line.right(sent, width: 9)
    line.skip(1)
    line.right(received, width: 9)
    line.skip(1)
    line.right(milliseconds, width: 10)
    line.skip(2)
    line.add(PlainText.line(detail))
    return line.text + "\n"
  }

  private static func milliseconds(_ nanoseconds: UInt64?) -> String {
    nanoseconds.map { Figures.fixed(Double($0) / 1e6, decimals: 2) } ?? ""
  }

  /// `12:34:56.789012`, UTC.
  static func timeOfDay(_ time: UInt64, _ wallOffset: Int64) -> String {
    let wall = UInt64(
      clamping: Int64(clamping: time).addingReportingOverflow(wallOffset).partialValue)
    let second = wall / 1_000_000_000 % 86_400
    func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let fraction = String(wall / 1000 % 1_000_000)
    return "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))."
      + String(repeating: "0", count: 6 - fraction.count) + fraction
  }
}

/// Network values as text.
enum NetworkText {
  /// An address and port, shortened in the middle unless wide.
  static func endpoint(_ endpoint: NetworkEndpoint, wide: Bool) -> String {
    let text = endpoint.description
    guard !wide, text.utf8.count > 23 else { return text }
    return text.prefix(11) + "…" + text.suffix(11)
  }

  /// `1.23 ms` from microseconds; `-` for none.
  static func microseconds(_ value: UInt32?) -> String {
    value.map { Figures.nanoseconds(UInt64($0) * 1000) } ?? "-"
  }
}
