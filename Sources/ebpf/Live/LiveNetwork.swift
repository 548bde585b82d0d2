import EBPF
import EBPFTracers
import TerminalView

/// `ebpf network --live`: connections and sockets with what they move each second.
final class LiveNetwork: LiveSource {
  private let wide: Bool
  private var before: [NetworkFlow: NetworkFlow.Bytes] = [:]
  private var retransmits: [NetworkFlow: UInt64] = [:]
  private var connections: [String: NetworkConnection] = [:]
  private var sockets: [String: NetworkSocket] = [:]
  private var totals = NetworkTotals()
  private var rates = (sent: 0.0, received: 0.0)
  private var living = 0

  private(set) var tables: [LiveTable] = [
    LiveTable(
      name: "connections",
      columns: [
        .figure("SENT/s"), .figure("RECEIVED/s"), .figure("RTT", rank: 1),
        .figure("RETRANS", rank: 3), .figure("PID", rank: 4),
        .text("COMMAND", rank: 2, widest: 15), .text("STATE", rank: 6, widest: 12),
        .text("LOCAL", rank: 5, widest: 47), .text("REMOTE"),
      ], sortColumn: 0, empty: "no connections"),
    LiveTable(
      name: "UDP sockets",
      columns: [
        .figure("SENT/s"), .figure("RECEIVED/s"), .figure("SENT", rank: 3),
        .figure("RECEIVED", rank: 3), .figure("ERRORS", rank: 2), .figure("PID", rank: 4),
        .text("COMMAND", rank: 1, widest: 15), .text("LOCAL", widest: 47),
        .text("REMOTE", rank: 5),
      ], sortColumn: 0, empty: "no UDP socket has sent or received"),
  ]

  init(wide: Bool) { self.wide = wide }

  var status: [String] {
    [
      "\(Figures.count(UInt64(living))) connections open",
      "\(Figures.bytes(UInt64(min(rates.sent, 1e18))))/s sent",
      "\(Figures.bytes(UInt64(min(rates.received, 1e18))))/s received",
    ]
  }

  func refresh(_ tracer: NetworkTracer, seconds: Double) throws(EBPFError) {
    let activity = try tracer.activity()
    rates = (
      Double(activity.totals.bytesSent &- min(activity.totals.bytesSent, totals.bytesSent))
        / seconds,
      Double(
        activity.totals.bytesReceived &- min(activity.totals.bytesReceived, totals.bytesReceived))
        / seconds
    )
    totals = activity.totals
    let earlier = (bytes: before, retransmits: retransmits)
    before = [:]
    retransmits = [:]
    connections = [:]
    sockets = [:]
    living = 0
    var rows: [LiveRow] = []
    for connection in activity.connections {
      let flow = NetworkFlow(connection)
      let known = earlier.bytes[flow]
      // One that ended is shown once more, in the interval of its end.
      let isNews = connection.closed == nil || known != nil || isNew(connection, seconds)
      guard isNews else { continue }
      if connection.closed == nil {
        living += 1
        before[flow] = NetworkFlow.Bytes(
          sent: connection.sentBytes, received: connection.receivedBytes)
        retransmits[flow] = connection.retransmits.total
      }
      let id = flow.text
      connections[id] = connection
      rows.append(row(connection, id, known, earlier.retransmits[flow], seconds))
    }
    tables[0].rows = rows
    tables[1].rows = activity.sockets.map { socket in
      let flow = NetworkFlow(socket)
      before[flow] = NetworkFlow.Bytes(sent: socket.sentBytes, received: socket.receivedBytes)
      sockets[flow.text] = socket
      return row(socket, flow.text, earlier.bytes[flow], seconds)
    }
    lastSeen = max(lastSeen, activity.connections.map(\.lastSeen).max() ?? 0)
  }

  /// The time of the last look, as far as connections tell.
  private var lastSeen: UInt64 = 0

  /// True for a connection that began and ended since the last look.
  private func isNew(_ connection: NetworkConnection, _ seconds: Double) -> Bool {
    connection.lastSeen > lastSeen
  }

  // MARK: - Rows

  private func row(
    _ connection: NetworkConnection, _ id: String, _ known: NetworkFlow.Bytes?,
    _ retransmitted: UInt64?, _ seconds: Double
  ) -> LiveRow {
    let sent = connection.sentBytes - min(connection.sentBytes, known?.sent ?? 0)
    let received = connection.receivedBytes - min(connection.receivedBytes, known?.received ?? 0)
    let again = connection.retransmits.total
    let isLosing = again > (retransmitted ?? 0)
    let trip = connection.health.roundTripMicroseconds.map { UInt64($0) * 1000 }
    let state = NetworkTable.state(connection)
    return LiveRow(
      id: id,
      cells: [
        LiveFigures.byteRate(sent, seconds), LiveFigures.byteRate(received, seconds),
        LiveFigures.time(trip), LiveFigures.count(again, isLosing ? .red : []),
        process(connection.process), .text(connection.process?.command ?? "-"),
        .text(state, connection.error == nil ? [] : .red),
        .text(NetworkText.endpoint(connection.local, wide: wide)),
        .text(NetworkText.endpoint(connection.remote, wide: wide)),
      ])
  }

  private func row(
    _ socket: NetworkSocket, _ id: String, _ known: NetworkFlow.Bytes?, _ seconds: Double
  ) -> LiveRow {
    let sent = socket.sentBytes - min(socket.sentBytes, known?.sent ?? 0)
    let received = socket.receivedBytes - min(socket.receivedBytes, known?.received ?? 0)
    return LiveRow(
      id: id,
      cells: [
        LiveFigures.byteRate(sent, seconds), LiveFigures.byteRate(received, seconds),
        LiveFigures.count(socket.sentMessages), LiveFigures.count(socket.receivedMessages),
        LiveFigures.count(socket.sendErrors + socket.receiveErrors, .red),
        process(socket.process), .text(socket.process?.command ?? "-"),
        .text(NetworkText.endpoint(socket.local, wide: wide)),
        .text(socket.remote.map { NetworkText.endpoint($0, wide: wide) } ?? "-"),
      ])
  }

  private func process(_ process: NetworkProcess?) -> LiveCell {
    .figure(process.map { String($0.id) } ?? "-", Double(process?.id ?? -1))
  }

  // MARK: - Details

  func details(table: Int, row: String) -> LiveDetails {
    if table == 0 {
      guard let connection = connections[row] else { return .gone }
      return LiveNetwork.details(connection)
    }
    guard let socket = sockets[row] else { return .gone }
    var details = LiveDetails("\(socket.local) \(socket.remote?.description ?? "")")
    var figures = TextTable()
    figures.add("process", socket.process.map { "\($0.command) (\($0.id))" } ?? "unknown")
    figures.add(
      "sent", "\(Figures.bytes(socket.sentBytes)) in \(Figures.count(socket.sentMessages)) messages"
    )
    figures.add(
      "received",
      "\(Figures.bytes(socket.receivedBytes)) in \(Figures.count(socket.receivedMessages)) messages"
    )
    figures.add(
      "errors",
      "\(Figures.count(socket.sendErrors)) sending, \(Figures.count(socket.receiveErrors)) receiving"
    )
    details.add("socket", figures)
    return details
  }

  /// The health of a connection over its life.
  private static func details(_ connection: NetworkConnection) -> LiveDetails {
    let health = connection.health
    let trip = NetworkText.microseconds
    var details = LiveDetails("\(connection.local) – \(connection.remote)")
    var life = TextTable()
    life.add("process", connection.process.map { "\($0.command) (\($0.id))" } ?? "unknown")
    life.add("state", NetworkTable.state(connection))
    life.add("seen for", Figures.nanoseconds(connection.durationNanoseconds))
    life.add("handshake", connection.handshakeNanoseconds.map(Figures.nanoseconds) ?? "not seen")
    if let waited = connection.acceptNanoseconds {
      life.add("waited for accept", Figures.nanoseconds(waited))
    }
    life.add("sent", Figures.bytes(connection.sentBytes))
    life.add("received", Figures.bytes(connection.receivedBytes))
    details.add("life", life)

    var path = TextTable()
    path.add("round trip", trip(health.roundTripMicroseconds))
    path.add("its deviation", trip(health.roundTripVariationMicroseconds))
    path.add("the smallest", trip(health.minimumRoundTripMicroseconds))
    path.add("congestion", "\(health.algorithm), \(health.congestionState)")
    path.add(
      "window",
      "\(health.congestionWindow) segments of \(health.segmentSize) bytes"
        + (health.slowStartThreshold.map { ", threshold \($0)" } ?? ""))
    path.add("peer takes", Figures.bytes(UInt64(health.sendWindow)))
    path.add("offered", Figures.bytes(UInt64(health.receiveWindow)))
    details.add("path", path)

    let again = connection.retransmits
    var loss = TextTable()
    loss.add(
      "sent again",
      "\(Figures.count(again.total)) segments: \(again.afterTimeout) after a timeout, "
        + "\(again.inRecovery) in recovery, \(again.asProbe) as probes")
    loss.add("believed lost", "\(health.lost)")
    loss.add("out of order", "\(health.outOfOrder) received, \(health.reorderingSeen) seen by ACKs")
    loss.add("twice at the peer", "\(health.duplicateAcknowledgements)")
    loss.add("zero-window probes", "\(health.zeroWindowProbes)")
    loss.add("resets", "\(connection.resetsSent) sent, \(connection.resetsReceived) received")
    details.add("trouble", loss)

    var queues = TextTable()
    queues.add("written, not acknowledged", Figures.bytes(UInt64(health.sendQueue)))
    queues.add("received, not read", Figures.bytes(UInt64(health.receiveQueue)))
    for (name, time) in [
      ("with something to send", health.busyNanoseconds),
      ("of that, held up by the peer", health.limitedByPeerNanoseconds),
      ("of that, held up by the buffer", health.limitedByBufferNanoseconds),
    ] {
      queues.add(name, time.map(Figures.nanoseconds) ?? "unknown")
    }
    details.add("queues", queues)
    return details
  }
}
