import EBPFTracers

/// The JSON summary of a network recording.
struct NetworkDocument: Encodable {
  let totals: Totals
  let loss: LossDocument
  let contexts: ContextsDocument?
  let overhead: OverheadDocument
  let hooks: [HookDocument]
  let durationNs: UInt64
  /// From the call that starts the tracer to its first event.
  @Nullable var firstEventNs: UInt64?
  let connections: [NetworkConnectionDocument]
  let sockets: [Socket]
  let dns: [NetworkQueryDocument]
  let drops: [Drop]
  /// Ended connections, sockets and queries that are in the totals, but not listed.
  let unlisted: UInt64
  let economy: EconomyDocument?

  struct Totals: Encodable {
    let tcpConnections: UInt64
    let tcpAccepts: UInt64
    let tcpFailures: UInt64
    let tcpExisting: UInt64
    let udpSessions: UInt64
    let packetsCaptured: UInt64
    let bytesSent: UInt64
    let bytesReceived: UInt64
    let retransmits: UInt64
    let listenerRetransmits: UInt64
    let resetsSent: UInt64
    let resetsReceived: UInt64
    let dnsQueries: UInt64
    let dnsMalformed: UInt64
    let packetsDropped: UInt64

    init(_ result: NetworkActivity) {
      let sums = result.totals
      tcpConnections = sums.connects
      tcpAccepts = sums.accepts
      tcpFailures = sums.failures
      tcpExisting = sums.existing
      udpSessions = sums.datagramSockets
      packetsCaptured = sums.segments &+ sums.messagesSent &+ sums.messagesReceived
      bytesSent = sums.bytesSent
      bytesReceived = sums.bytesReceived
      retransmits = sums.retransmits
      listenerRetransmits = sums.listenerRetransmits
      resetsSent = sums.resetsSent
      resetsReceived = sums.resetsReceived
      dnsQueries = sums.queries
      dnsMalformed = result.malformedMessages
      packetsDropped = sums.drops
    }
  }

  struct Socket: Encodable {
    let localAddress: String
    let localPort: UInt16
    @Nullable var remoteAddress: String?
    @Nullable var remotePort: UInt16?
    let networkNamespace: UInt32
    @Nullable var pid: Int32?
    @Nullable var command: String?
    @Nullable var cgroup: String?
    @Nullable var container: ContainerDocument?
    let messagesSent: UInt64
    let bytesSent: UInt64
    let messagesReceived: UInt64
    let bytesReceived: UInt64
    let sendErrors: UInt64
    let receiveErrors: UInt64

    init(_ socket: NetworkSocket, _ containers: ContainerNames?) {
      localAddress = socket.local.address.description
      localPort = socket.local.port
      remoteAddress = socket.remote?.address.description
      remotePort = socket.remote?.port
      networkNamespace = socket.networkNamespace
      pid = socket.process?.id
      command = socket.process?.command
      let place = PlaceDocument(
        containers, cgroup: socket.process?.cgroup, process: socket.process?.id)
      cgroup = place.cgroup
      container = place.container
      messagesSent = socket.sentMessages
      bytesSent = socket.sentBytes
      messagesReceived = socket.receivedMessages
      bytesReceived = socket.receivedBytes
      sendErrors = socket.sendErrors
      receiveErrors = socket.receiveErrors
    }
  }

  struct Drop: Encodable {
    let reason: String
    @Nullable var function: String?
    let `protocol`: String
    let packets: UInt64
    let bytes: UInt64
  }

  init(_ result: NetworkActivity, _ containers: ContainerNames?, economy: GovernorState?) {
    totals = Totals(result)
    self.economy = economy.map(EconomyDocument.init)
    loss = LossDocument(result.statistics)
    contexts = result.contexts.flatMap(ContextsDocument.init)
    overhead = OverheadDocument(result.overhead)
    hooks = result.hooks.map(HookDocument.init)
    durationNs = result.statistics.recordedNanoseconds
    firstEventNs = result.statistics.firstEventNanoseconds
    let wallOffset = result.wallOffset
    connections = result.connections.map { NetworkConnectionDocument($0, wallOffset, containers) }
    sockets = result.sockets.map { Socket($0, containers) }
    dns = result.queries.map { NetworkQueryDocument($0, wallOffset) }
    drops = result.drops.map {
      Drop(
        reason: $0.reason, function: $0.function, protocol: $0.protocolName, packets: $0.packets,
        bytes: $0.bytes)
    }
    unlisted = result.unlisted
  }
}

/// One line of `--events --json`.
struct NetworkEventDocument: Encodable {
  let event: String
  let connection: NetworkConnectionDocument?
  let query: NetworkQueryDocument?

  init(_ event: NetworkEvent, _ wallOffset: Int64, _ containers: ContainerNames?) {
    func document(_ connection: NetworkConnection) -> NetworkConnectionDocument {
      NetworkConnectionDocument(connection, wallOffset, containers)
    }
    switch event {
    case .connected(let value): (self.event, connection, query) = ("connect", document(value), nil)
    case .accepted(let value): (self.event, connection, query) = ("accept", document(value), nil)
    case .closed(let value): (self.event, connection, query) = ("close", document(value), nil)
    case .failed(let value): (self.event, connection, query) = ("fail", document(value), nil)
    case .retransmitted(let value):
      (self.event, connection, query) = ("retransmit", document(value), nil)
    case .query(let value):
      (self.event, connection, query) = ("query", nil, NetworkQueryDocument(value, wallOffset))
    }
  }
}

/// A DNS query in JSON.
struct NetworkQueryDocument: Encodable {
  let timeUnixNs: Int64
  let name: String
  let type: String
  @Nullable var code: String?
  @Nullable var latencyNs: UInt64?
  @Nullable var answers: Int?
  let attempts: Int
  let localAddress: String
  let localPort: UInt16
  let serverAddress: String
  let networkNamespace: UInt32
  @Nullable var pid: Int32?
  @Nullable var command: String?

  init(_ query: DNSQuery, _ wallOffset: Int64) {
    timeUnixNs = Int64(clamping: query.time).addingReportingOverflow(wallOffset).partialValue
    name = query.name
    type = query.type
    code = query.answer?.code
    latencyNs = query.answer?.latencyNanoseconds
    answers = query.answer?.records
    attempts = query.attempts
    localAddress = query.local.address.description
    localPort = query.local.port
    serverAddress = query.server.address.description
    networkNamespace = query.networkNamespace
    pid = query.process?.id
    command = query.process?.command
  }
}
