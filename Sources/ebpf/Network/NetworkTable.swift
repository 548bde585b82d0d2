import EBPF
import EBPFSystem
import EBPFTracers

/// Connections and sockets as tables, what moved most first.
struct NetworkTable {
  let top: Int
  let wide: Bool
  /// Fills a column; nil where nobody asked for it.
  var containers: ContainerNames?
  /// What each connection had moved before, when only the difference is wanted.
  var before: [NetworkFlow: NetworkFlow.Bytes] = [:]

  /// The TCP table; empty when there is nothing to show.
  func connections(_ all: [NetworkConnection], onlyMoving: Bool = false) -> String {
    var rows = all.map { ($0, bytes(NetworkFlow($0), $0.sentBytes, $0.receivedBytes)) }
    if onlyMoving { rows = rows.filter { $0.1.sum > 0 } }
    guard !rows.isEmpty else { return "" }
    rows.sort { ($0.1.sum, $1.0.firstSeen) > ($1.1.sum, $0.0.firstSeen) }
    var table = TextTable(rightAligned: [0, 5, 6, 7, 8, 9])
    table.add(
      "PID", "COMMAND", "LOCAL", "REMOTE", "STATE", "SENT", "RECEIVED", "RTT", "RETRANS", "TIME",
      heading)
    for (connection, bytes) in rows.prefix(limit) {
      table.add(
        connection.process.map { String($0.id) } ?? "-", connection.process?.command ?? "-",
        NetworkText.endpoint(connection.local, wide: wide),
        NetworkText.endpoint(connection.remote, wide: wide), NetworkTable.state(connection),
        Figures.bytes(bytes.sent), Figures.bytes(bytes.received),
        NetworkText.microseconds(connection.health.roundTripMicroseconds),
        String(connection.retransmits.total), Figures.nanoseconds(connection.durationNanoseconds),
        container(connection.process))
    }
    return table.text() + more(rows.count, "connections")
  }

  /// The UDP table.
  func sockets(_ all: [NetworkSocket], onlyMoving: Bool = false) -> String {
    var rows = all.map { ($0, bytes(NetworkFlow($0), $0.sentBytes, $0.receivedBytes)) }
    if onlyMoving { rows = rows.filter { $0.1.sum > 0 } }
    guard !rows.isEmpty else { return "" }
    rows.sort { ($0.1.sum, $1.0.firstSeen) > ($1.1.sum, $0.0.firstSeen) }
    var table = TextTable(rightAligned: [0, 4, 5, 6, 7, 8])
    table.add(
      "PID", "COMMAND", "LOCAL (UDP)", "REMOTE", "SENT", "MESSAGES", "RECEIVED", "MESSAGES",
      "ERRORS", heading)
    for (socket, bytes) in rows.prefix(limit) {
      table.add(
        socket.process.map { String($0.id) } ?? "-", socket.process?.command ?? "-",
        NetworkText.endpoint(socket.local, wide: wide),
        socket.remote.map { NetworkText.endpoint($0, wide: wide) } ?? "-",
        Figures.bytes(bytes.sent), Figures.count(socket.sentMessages),
        Figures.bytes(bytes.received), Figures.count(socket.receivedMessages),
        Figures.count(socket.sendErrors + socket.receiveErrors), container(socket.process))
    }
    return table.text() + more(rows.count, "sockets")
  }

  private var heading: String { containers == nil ? "" : "CONTAINER" }

  private func container(_ process: NetworkProcess?) -> String {
    containers.map { $0.column(cgroup: process?.cgroup, process: process?.id) } ?? ""
  }

  private var limit: Int { top == 0 ? .max : top }

  private func more(_ count: Int, _ noun: String) -> String {
    count > limit ? "… and \(Figures.count(UInt64(count - limit))) more \(noun) (--top)\n" : ""
  }

  private func bytes(_ flow: NetworkFlow, _ sent: UInt64, _ received: UInt64) -> NetworkFlow.Bytes {
    let old = before[flow] ?? NetworkFlow.Bytes(sent: 0, received: 0)
    return NetworkFlow.Bytes(
      sent: sent - min(sent, old.sent), received: received - min(received, old.received))
  }

  /// The state in one word, or why it ended.
  static func state(_ connection: NetworkConnection) -> String {
    if connection.closed == nil {
      return connection.role == .existing ? "existing" : connection.state.lowercased()
    }
    if let error = connection.errorName { return error }
    return connection.isEstablished ? "closed" : "given up"
  }
}

/// What tells one socket from another.
struct NetworkFlow: Hashable {
  struct Bytes {
    let sent: UInt64
    let received: UInt64
    var sum: UInt64 { sent &+ received }
  }

  private let local: NetworkEndpoint
  private let remote: NetworkEndpoint?
  private let networkNamespace: UInt32
  private let firstSeen: UInt64

  /// The same in words.
  var text: String { "\(local) \(remote?.description ?? "-") \(networkNamespace) \(firstSeen)" }

  init(_ connection: NetworkConnection) {
    local = connection.local
    remote = connection.remote
    networkNamespace = connection.networkNamespace
    firstSeen = connection.firstSeen
  }

  init(_ socket: NetworkSocket) {
    local = socket.local
    remote = socket.remote
    networkNamespace = socket.networkNamespace
    firstSeen = socket.firstSeen
  }
}

/// The view that is drawn again and again: what moved since the last time.
struct NetworkRefresh {
  private var table: NetworkTable
  private let isTerminal = StandardStream.output.columns != nil

  init(top: Int, wide: Bool, containers: ContainerNames?) {
    table = NetworkTable(top: top, wide: wide, containers: containers)
  }

  /// Draws what is different from the last time.
  mutating func show(_ activity: NetworkActivity) throws(EBPFError) {
    var text = isTerminal ? "\u{1b}[H\u{1b}[2J" : ""
    let living = activity.connections.filter { $0.closed == nil }.count
    text += "\(Figures.count(UInt64(living))) connections open, "
    text += "\(Figures.bytes(activity.totals.bytesSent)) sent and "
    text += "\(Figures.bytes(activity.totals.bytesReceived)) received so far\n\n"
    text += table.connections(activity.connections, onlyMoving: true)
    text += table.sockets(activity.sockets, onlyMoving: true)
    try Output.write(text + "\n")
    table.before = [:]
    for connection in activity.connections {
      table.before[NetworkFlow(connection)] = NetworkFlow.Bytes(
        sent: connection.sentBytes, received: connection.receivedBytes)
    }
    for socket in activity.sockets {
      table.before[NetworkFlow(socket)] = NetworkFlow.Bytes(
        sent: socket.sentBytes, received: socket.receivedBytes)
    }
  }
}
