internal import EBPFSystem
public import EBPFTracers
public import OTLP

/// Makes spans of TCP connections and DNS queries, metrics of all traffic, and log records of dropped
/// packets.
///
/// Make it just before the tracer starts, which is where its sums begin. Events come from the tracer's
/// listener, see ``NetworkEventQueue``; or, when a recording without one is over, from its lists:
/// ``addListed(_:)``.
public struct NetworkTelemetry: Sendable {
  struct Query: Hashable, Sendable {
    var name: String
    var failure: String?
  }
  struct Drop: Hashable, Sendable {
    var reason: String
    var function: String?
  }

  var pending: PendingTelemetry
  var state: CumulativeState
  var time = MonotonicTime()
  private var losses = LossWatch(tracer: "network")

  // What only events tell, from the start on.
  var lifetimes: HistogramTable<NetworkConnection.Role>
  var handshakes: HistogramTable<NetworkConnection.Role>
  var roundTrips: HistogramTable<NetworkConnection.Role>
  var lookups: HistogramTable<Query>
  var failures: [String: UInt64] = [:]

  var dropStreams: StreamTable<String>
  /// Packets that log records have told of.
  var toldDrops: [Drop: UInt64] = [:]

  /// What was converted and what not.
  public var statistics: ConversionStatistics { pending.statistics }

  /// Sums begin at `start`, in nanoseconds since 1970; nil for now.
  public init(_ options: TelemetryOptions, start: UInt64? = nil) {
    pending = PendingTelemetry(options)
    state = CumulativeState(start: start ?? Clock.wall.now)
    lifetimes = HistogramTable(limit: options.cardinalityLimit)
    handshakes = HistogramTable(limit: options.cardinalityLimit)
    roundTrips = HistogramTable(limit: options.cardinalityLimit)
    lookups = HistogramTable(limit: options.cardinalityLimit)
    dropStreams = StreamTable(limit: options.cardinalityLimit)
  }

  /// Takes in an event.
  public mutating func add(_ event: NetworkEvent) {
    pending.statistics.events += 1
    switch event {
    case .closed(let connection), .failed(let connection): addEnd(of: connection)
    case .query(let query): add(query)
    // What has not ended is no span yet.
    case .connected, .accepted, .retransmitted: pending.statistics.unwanted += 1
    }
  }

  /// Takes in what waits in a queue, and what found no room there.
  public mutating func addAll(of queue: NetworkEventQueue) {
    let (events, dropped) = queue.take()
    for event in events { add(event) }
    pending.statistics.events += dropped
    pending.statistics.drop(.pendingLimit, dropped)
  }

  /// Takes in the connections and queries that a recording lists and that are over, once.
  public mutating func addListed(_ activity: NetworkActivity) {
    for connection in activity.connections where connection.closed != nil {
      let wasConnected = connection.isEstablished || connection.role != .connect
      add(wasConnected ? .closed(connection) : .failed(connection))
    }
    for query in activity.queries { add(.query(query)) }
    pending.statistics.events += activity.unlisted
    pending.statistics.drop(.notListed, activity.unlisted)
  }

  /// The spans since the last collection, the sums as they are now, and what happened to packets.
  public mutating func collect(_ activity: NetworkActivity, at now: UInt64? = nil)
    -> [TelemetryExport]
  {
    let now = now ?? Clock.wall.now
    time.measure()
    if state.update(activity.statistics, at: now) {
      forget()
      losses.beginAnew()
    }
    losses.report(activity.statistics, at: now, &pending)
    reportDrops(activity.drops, at: now)
    return pending.take(metrics(activity, at: now))
  }

  private mutating func forget() {
    let fresh = NetworkTelemetry(pending.options, start: state.start)
    (lifetimes, handshakes, roundTrips) = (fresh.lifetimes, fresh.handshakes, fresh.roundTrips)
    (lookups, failures) = (fresh.lookups, fresh.failures)
    (dropStreams, toldDrops) = (fresh.dropStreams, fresh.toldDrops)
  }

  // MARK: - Spans

  private mutating func addEnd(of connection: NetworkConnection) {
    let failure = connection.error.map(ConnectionFailure.init)
    measure(connection, failure)
    guard pending.options.connectionSpans else { return pending.statistics.unwanted += 1 }
    var list = pending.attributes
    list.add(Key.transport, "tcp")
    list.add(local: connection.local, peer: connection.remote)
    list.add(connection.process, pending.options.containers)
    list.add(Key.transmitSize, connection.sentBytes)
    list.add(Key.receiveSize, connection.receivedBytes)
    list.add(Key.retransmits, connection.retransmits.total)
    list.add(Key.errorType, failure?.type)
    let kind: SpanData.Kind =
      switch connection.role {
      case .connect: .client
      case .accept: .server
      case .existing: .internal
      }
    let wasConnected = connection.isEstablished || connection.role != .connect
    pending.addSpan(
      wasConnected ? "tcp connection" : "tcp connect", kind,
      from: time.unix(connection.firstSeen),
      to: time.unix(connection.closed ?? connection.lastSeen), list,
      process: connection.process?.id, within: connection.span, failure: failure?.text)
  }

  private mutating func add(_ query: DNSQuery) {
    let failure = query.answer.map { $0.code == "NOERROR" ? nil : $0.code } ?? "timeout"
    if let answer = query.answer {
      lookups.record(
        Double(answer.latencyNanoseconds) / 1e9, Query(name: query.name, failure: failure),
        &pending.statistics)
    }
    guard pending.options.querySpans else { return pending.statistics.unwanted += 1 }
    var list = pending.attributes
    list.add(Key.questionName, query.name)
    list.add(Key.questionType, query.type)
    list.add(Key.serverAddress, query.server.address.description)
    list.add(Key.serverPort, query.server.port)
    list.add(Key.transport, "udp")
    list.add(local: query.local, peer: query.server)
    list.add(query.process, pending.options.containers)
    list.add(Key.errorType, failure)
    let start = time.unix(query.time)
    // Nobody waits any more, from now on, for an answer that did not come.
    let end = query.answer.map { start &+ $0.latencyNanoseconds } ?? time.unix(Clock.monotonic.now)
    pending.addSpan(
      "dns lookup", .client, from: start, to: end, list, process: query.process?.id,
      within: query.span,
      failure: failure.map { $0 == "timeout" ? "no answer" : "the server answered \($0)" })
  }

  private mutating func measure(_ connection: NetworkConnection, _ failure: ConnectionFailure?) {
    guard connection.isEstablished || connection.role != .connect else {
      failures[failure?.type ?? "other", default: 0] += 1
      return
    }
    lifetimes.record(
      Double(connection.durationNanoseconds) / 1e9, connection.role, &pending.statistics)
    if let handshake = connection.handshakeNanoseconds {
      handshakes.record(Double(handshake) / 1e9, connection.role, &pending.statistics)
    }
    if let roundTrip = connection.health.roundTripMicroseconds {
      roundTrips.record(Double(roundTrip) / 1e6, connection.role, &pending.statistics)
    }
  }
}

/// Why a connection failed, in the words of the proposed convention
/// (open-telemetry/semantic-conventions#3682).
struct ConnectionFailure {
  let type: String
  let text: String

  init(_ number: Int32) {
    let error = Errno(rawValue: number)
    text = "\(error.name): \(error.text)"
    type =
      switch error.name {
      case "ECONNREFUSED": "refused"
      case "ECONNRESET": "reset"
      case "ETIMEDOUT": "timed-out"
      case "EHOSTUNREACH": "host-unreachable"
      case "ENETUNREACH": "net-unreachable"
      default: "other"
      }
  }
}

extension AttributeList {
  fileprivate mutating func add(local: NetworkEndpoint, peer: NetworkEndpoint) {
    add(Key.networkType, peer.address.isVersion4 ? "ipv4" : "ipv6")
    if !local.address.isUnspecified { add(Key.localAddress, local.address.description) }
    add(Key.localPort, local.port)
    add(Key.peerAddress, peer.address.description)
    add(Key.peerPort, peer.port)
  }

  fileprivate mutating func add(_ process: NetworkProcess?, _ containers: CgroupDirectory?) {
    guard let process else { return }
    add(Key.processID, process.id)
    add(Key.threadID, process.threadID)
    add(Key.threadName, process.command)
    add(container: process.cgroup, containers)
  }
}
