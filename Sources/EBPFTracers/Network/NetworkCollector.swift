internal import EBPF
internal import EBPFSystem

/// Reads the network tracer's ring and keeps what came, up to a limit.
struct NetworkCollector: ~Copyable {
  private var ring: RingBuffer
  private var received: Received

  /// What came through the ring and out of the datagram maps.
  struct Received: Sendable {
    let listLimit: Int
    let hasListener: Bool
    /// Told of each process that connects, is connected to, or asks.
    let contexts: ContextWatch?
    var totals = NetworkTotals()
    var connections: [NetworkConnection] = []
    var sockets: [UInt64: NetworkSocketRecord] = [:]
    var queries: [DNSQuery] = []
    var matcher = DNSMatcher()
    /// Over the limit: in the totals only.
    var unlisted: UInt64 = 0
    /// Records that ended a connection, and DNS messages.
    var records: UInt64 = 0
    var packets: UInt64 = 0
    var extras: UInt64 = 0
    var malformed: UInt64 = 0
    /// Delivery times in nanoseconds; only with a listener, who is woken for each record.
    var latencies = LatencyHistogram()
    var now: UInt64 = 0
    /// For the listener, since the last drain.
    var events: [NetworkEvent] = []
  }

  init(
    ring: consuming RingBuffer, listLimit: Int, hasListener: Bool, contexts: ContextWatch? = nil
  ) {
    self.ring = ring
    received = Received(listLimit: listLimit, hasListener: hasListener, contexts: contexts)
  }

  /// Reads everything that is there; returns what a listener is to be told.
  mutating func drain(now: UInt64) -> [NetworkEvent] {
    received.now = now
    ring.drain(&received) { received, record in received.take(record) }
    defer { received.events.removeAll(keepingCapacity: true) }
    return received.events
  }

  /// Adds what was counted in a datagram map.
  mutating func add(_ entries: [(key: UInt64, value: NetworkSocketRecord)]) {
    for (name, record) in entries { received.add(record, named: name) }
  }

  /// Gives up waiting for answers; returns what a listener is to be told.
  mutating func finishQueries() -> [NetworkEvent] {
    for query in received.matcher.takeUnanswered() { received.add(query) }
    defer { received.events.removeAll(keepingCapacity: true) }
    return received.events
  }

  /// What came so far.
  var result: Received { received }

  /// Records that are not what they should be.
  var malformed: UInt64 { ring.statistics.malformed + received.malformed }
}

extension NetworkCollector.Received {
  fileprivate mutating func take(_ bytes: RawSpan) {
    switch bytes.integer(at: 0, as: UInt32.self, order: .host) {
    case 1:
      guard let record = BitwiseBytes.load(NetworkRecord.self, from: bytes) else { break }
      return take(record)
    case 2:
      guard let header = BitwiseBytes.load(NetworkPacketHeader.self, from: bytes) else { break }
      let start = MemoryLayout<NetworkPacketHeader>.size
      guard let count = Int(exactly: header.captured), count <= bytes.byteCount - start else {
        break
      }
      return take(header, BitwiseBytes.array(bytes.extracting(start..<(start + count))))
    default: break
    }
    malformed += 1
  }

  private mutating func take(_ record: NetworkRecord) {
    let connection = NetworkConnection(record, ticks: .running)
    meet(record.connection.owner)
    if hasListener { latencies.record(from: record.time, to: now) }
    switch record.what {
    case NetworkRecord.What.closed, NetworkRecord.What.failed:
      records += 1
      totals.add(connection)
      if connections.count < listLimit { connections.append(connection) } else { unlisted += 1 }
      tell(record.what == NetworkRecord.What.closed ? .closed(connection) : .failed(connection))
    case NetworkRecord.What.connected: tellExtra(.connected(connection))
    case NetworkRecord.What.accepted: tellExtra(.accepted(connection))
    case NetworkRecord.What.retransmitted: tellExtra(.retransmitted(connection))
    default: malformed += 1
    }
  }

  private mutating func take(_ header: NetworkPacketHeader, _ data: [UInt8]) {
    packets += 1
    meet(header.owner)
    if hasListener { latencies.record(from: header.time, to: now) }
    for query in matcher.add(header, data) { add(query) }
  }

  private func meet(_ owner: NetworkOwnerRecord) {
    guard let contexts, owner.processID != 0 else { return }
    contexts.meet(Int32(truncatingIfNeeded: owner.processID), UInt64(owner.processID))
  }

  mutating func add(_ query: DNSQuery) {
    totals.queries += 1
    if queries.count < listLimit { queries.append(query) } else { unlisted += 1 }
    tell(.query(query))
  }

  fileprivate mutating func add(_ record: NetworkSocketRecord, named name: UInt64) {
    totals.add(record)
    if sockets[name] != nil {
      sockets[name]?.add(record)
    } else {
      totals.datagramSockets += 1
      if sockets.count < listLimit { sockets[name] = record } else { unlisted += 1 }
    }
  }

  private mutating func tellExtra(_ event: NetworkEvent) {
    extras += 1
    tell(event)
  }

  private mutating func tell(_ event: NetworkEvent) { if hasListener { events.append(event) } }
}
