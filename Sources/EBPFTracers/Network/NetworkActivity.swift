/// What a network tracer recorded, at its end or so far.
public struct NetworkActivity: Sendable {
  /// Sums over everything that was recorded.
  public var totals: NetworkTotals
  /// Connections, one for each end on this machine: those that ended in the order of their ends,
  /// then those that live. At most ``NetworkTracerConfiguration/listLimit`` ended ones.
  public var connections: [NetworkConnection]
  /// Datagram sockets, by the time of their first message.
  public var sockets: [NetworkSocket]
  /// DNS queries, with ``NetworkTracerConfiguration/recordsDNS``.
  public var queries: [DNSQuery]
  /// DNS messages that could not be understood.
  public var malformedMessages: UInt64
  /// Dropped packets, most first, with ``NetworkTracerConfiguration/recordsDrops``.
  public var drops: [NetworkDrop]
  /// Ended connections, sockets and queries over the limit: in the totals, but not listed.
  public var unlisted: UInt64
  /// What processes told of their spans; nil unless ``NetworkTracerConfiguration/linksSpans``.
  public var contexts: ContextStatistics?
  /// What was recorded and lost.
  public var statistics: TracerStatistics
  /// What recording cost.
  public var overhead: TracerOverhead
  /// The hooks in use.
  public var hooks: [TracerHook]
  /// What to add to a time of the monotonic clock to get nanoseconds since 1970.
  public var wallOffset: Int64
}

/// Sums of a recording. A connection between two processes of this machine has two ends: its bytes
/// are in ``bytesSent`` once, from one end, and in ``bytesReceived`` once, from the other.
public struct NetworkTotals: Sendable, Hashable {
  /// Connections that were made from here.
  public var connects: UInt64 = 0
  /// Connections that were made to here.
  public var accepts: UInt64 = 0
  /// Connects that failed.
  public var failures: UInt64 = 0
  /// Connections that were there before.
  public var existing: UInt64 = 0
  /// Datagram sockets that sent or received.
  public var datagramSockets: UInt64 = 0
  /// Datagram messages sent.
  public var messagesSent: UInt64 = 0
  /// Datagram messages received.
  public var messagesReceived: UInt64 = 0
  /// TCP segments both ways.
  public var segments: UInt64 = 0
  /// Payload bytes that TCP and datagram sockets sent, each once.
  public var bytesSent: UInt64 = 0
  /// Payload bytes that they received.
  public var bytesReceived: UInt64 = 0
  /// TCP segments sent again.
  public var retransmits: UInt64 = 0
  /// Answers to a connect (SYN-ACK) that listeners sent again.
  public var listenerRetransmits: UInt64 = 0
  /// TCP resets sent, also where there is no connection.
  public var resetsSent: UInt64 = 0
  /// TCP resets received.
  public var resetsReceived: UInt64 = 0
  /// DNS queries.
  public var queries: UInt64 = 0
  /// Packets dropped.
  public var drops: UInt64 = 0

  /// Nothing.
  public init() {}

  mutating func add(_ connection: NetworkConnection) {
    switch connection.role {
    case .connect where connection.isEstablished: connects += 1
    case .connect where connection.closed != nil: failures += 1
    case .connect: break  // Still connecting.
    case .accept: accepts += 1
    case .existing: existing += 1
    }
    segments &+= connection.sentSegments &+ connection.receivedSegments
    bytesSent &+= connection.sentBytes
    bytesReceived &+= connection.receivedBytes
    retransmits &+= connection.retransmits.total
  }

  mutating func add(_ socket: NetworkSocketRecord) {
    messagesSent &+= socket.sentMessages
    messagesReceived &+= socket.receivedMessages
    bytesSent &+= socket.sentBytes
    bytesReceived &+= socket.receivedBytes
  }
}

/// What one datagram (UDP) socket did. A message is one call; with segmentation offload it may be
/// several datagrams on the wire.
public struct NetworkSocket: Sendable, Hashable {
  /// Its own address and port, unspecified when it is bound to all.
  public var local: NetworkEndpoint
  /// The other end, when the socket is connected.
  public var remote: NetworkEndpoint?
  /// True for an IPv6 socket, also when it talks IPv4.
  public var usesVersion6Socket: Bool
  /// True for UDP-Lite.
  public var isLite: Bool
  /// The inode of its network namespace.
  public var networkNamespace: UInt32
  /// The process that used it first.
  public var process: NetworkProcess?
  /// Its first message, in nanoseconds of the monotonic clock.
  public var firstSeen: UInt64
  /// Its last message.
  public var lastSeen: UInt64
  /// Messages sent.
  public var sentMessages: UInt64
  /// Their payload.
  public var sentBytes: UInt64
  /// Messages received; looking at one without taking it is not receiving.
  public var receivedMessages: UInt64
  /// Their payload.
  public var receivedBytes: UInt64
  /// Calls that failed; finding nothing there is no failure.
  public var sendErrors: UInt64
  /// Calls that failed.
  public var receiveErrors: UInt64

  init(_ record: NetworkSocketRecord) {
    local = NetworkEndpoint(
      address: NetworkAddress(record.tuple.local), port: record.tuple.localPort)
    let other = NetworkEndpoint(
      address: NetworkAddress(record.tuple.remote), port: record.tuple.remotePort)
    remote = other.port == 0 ? nil : other
    usesVersion6Socket = record.tuple.family == 10
    isLite = record.tuple.transport == 136
    networkNamespace = record.tuple.networkNamespace
    process = NetworkProcess(record.owner)
    firstSeen = record.first
    lastSeen = record.last
    sentMessages = record.sentMessages
    sentBytes = record.sentBytes
    receivedMessages = record.receivedMessages
    receivedBytes = record.receivedBytes
    sendErrors = record.sendErrors
    receiveErrors = record.receiveErrors
  }
}

/// Packets that the kernel dropped for one reason in one place.
public struct NetworkDrop: Sendable, Hashable {
  /// The kernel's reason, without its prefix: `NO_SOCKET`.
  public var reason: String
  /// The kernel function that dropped them; nil where addresses are hidden.
  public var function: String?
  /// The ethertype: 0x0800 is IPv4.
  public var etherType: UInt16
  /// How many.
  public var packets: UInt64
  /// Their bytes, headers included as far as they were still there.
  public var bytes: UInt64
}

/// Something that happens while a network tracer runs.
public enum NetworkEvent: Sendable, Hashable {
  /// A handshake that began here is complete.
  case connected(NetworkConnection)
  /// accept(2) returned a connection.
  case accepted(NetworkConnection)
  /// A connection ended.
  case closed(NetworkConnection)
  /// A connect failed; ``NetworkConnection/errorName`` says why.
  case failed(NetworkConnection)
  /// Segments were sent again.
  case retransmitted(NetworkConnection)
  /// A DNS query was answered, or given up.
  case query(DNSQuery)
}
