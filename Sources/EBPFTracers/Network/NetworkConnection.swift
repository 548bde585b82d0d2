internal import EBPFSystem
public import Profiles

/// One TCP socket's life as one end of a connection, or as much of it as was seen.
///
/// When both ends are on this machine there are two of these, and each byte is sent in one and
/// received in the other.
public struct NetworkConnection: Sendable, Hashable {
  /// How this end came into being.
  public enum Role: String, Sendable, Hashable {
    /// It connected.
    case connect
    /// It was connected to.
    case accept
    /// It was there before recording began (or resumed): which end it is nobody saw, and figures
    /// are from then on.
    case existing
  }

  /// How this end came into being.
  public var role: Role
  /// Its own address and port.
  public var local: NetworkEndpoint
  /// The other end's.
  public var remote: NetworkEndpoint
  /// True for an IPv6 socket, also when it talks IPv4.
  public var usesVersion6Socket: Bool
  /// The inode of its network namespace, as `readlink /proc/PID/ns/net` shows it.
  public var networkNamespace: UInt32
  /// The process that connected, or that accept(2) gave the connection to; for existing ones, one
  /// that has it open. Nil when no process ever took it.
  public var process: NetworkProcess?
  /// What the thread that connected was at work on, where its process tells and
  /// ``NetworkTracerConfiguration/linksSpans`` asks for it.
  public var span: Profile.Span?

  /// When connect began or the handshake ended, in nanoseconds of the monotonic clock; nil for
  /// existing ones.
  public var opened: UInt64?
  /// When it ended; nil while it lives.
  public var closed: UInt64?
  /// When it was first and last seen, in nanoseconds of the monotonic clock.
  public var firstSeen: UInt64
  /// When its figures are from.
  public var lastSeen: UInt64
  /// From connect to the end of the handshake; for the accepting end from SYN-ACK to ACK.
  public var handshakeNanoseconds: UInt64?
  /// How long it waited for accept(2).
  public var acceptNanoseconds: UInt64?
  /// True once the handshake was complete.
  public var isEstablished: Bool
  /// The state it has, or had before it ended, in the kernel's words: `ESTABLISHED`.
  public var state: String
  /// Why it failed or was reset: an errno.
  public var error: Int32?

  /// Payload bytes sent, each once.
  public var sentBytes: UInt64
  /// Payload bytes received, each once.
  public var receivedBytes: UInt64
  /// Segments sent, with and without payload.
  public var sentSegments: UInt64
  /// Segments received.
  public var receivedSegments: UInt64
  /// Segments sent again.
  public var retransmits: NetworkRetransmits
  /// Resets that this end sent.
  public var resetsSent: UInt32
  /// Resets that it received.
  public var resetsReceived: UInt32
  /// The kernel's own account over the whole life, also of what was before the recording.
  public var health: NetworkHealth

  /// How long it lived, or was watched.
  public var durationNanoseconds: UInt64 { lastSeen - min(firstSeen, lastSeen) }
  /// The error's name, `ECONNREFUSED`.
  public var errorName: String? { error.map { Errno(rawValue: $0).name } }
}

/// The process that a socket belongs to.
public struct NetworkProcess: Sendable, Hashable {
  /// Its id in the initial pid namespace.
  public var id: Int32
  /// The thread that connected or accepted.
  public var threadID: Int32
  /// The thread's name, 15 bytes at most.
  public var command: String
  /// The id of its cgroup (v2).
  public var cgroup: UInt64

  init?(_ record: NetworkOwnerRecord) {
    guard record.processID != 0 else { return nil }
    id = Int32(truncatingIfNeeded: record.processID)
    threadID = Int32(truncatingIfNeeded: record.threadID)
    command = record.command.text
    cgroup = record.cgroup
  }
}

/// Segments sent again, by what made the kernel do so.
public struct NetworkRetransmits: Sendable, Hashable {
  /// All of them; those with a cause and those whose cause nobody saw.
  public var total: UInt64
  /// The retransmission timer ran out.
  public var afterTimeout: UInt64
  /// Fast retransmission, because later segments arrived.
  public var inRecovery: UInt64
  /// Tail loss probes, and segments sent again before loss was certain.
  public var asProbe: UInt64
}

extension NetworkConnection {
  init(_ record: NetworkRecord, ticks: KernelTicks) {
    let connection = record.connection
    let figures = record.now.since(connection.before)
    let isEnd = record.what == NetworkRecord.What.closed || record.what == NetworkRecord.What.failed
    role = connection.role == 1 ? .connect : connection.role == 2 ? .accept : .existing
    local = NetworkEndpoint(
      address: NetworkAddress(connection.tuple.local), port: connection.tuple.localPort)
    remote = NetworkEndpoint(
      address: NetworkAddress(connection.tuple.remote), port: connection.tuple.remotePort)
    usesVersion6Socket = connection.tuple.family == 10
    networkNamespace = connection.tuple.networkNamespace
    process = NetworkProcess(connection.owner)
    span = connection.span.span
    opened = role == .existing ? nil : connection.opened
    closed = isEnd ? record.time : nil
    firstSeen = connection.opened
    lastSeen = record.time
    isEstablished = connection.established != 0
    switch role {
    case .connect where isEstablished && connection.established >= connection.opened:
      handshakeNanoseconds = connection.established - connection.opened
    case .accept where connection.handshakeMicroseconds > 0:
      handshakeNanoseconds = UInt64(connection.handshakeMicroseconds) * 1000
    default: handshakeNanoseconds = nil
    }
    acceptNanoseconds =
      connection.accepted >= connection.opened && connection.accepted != 0
      ? connection.accepted - connection.opened : nil
    state = NetworkConnection.stateName(record.state)
    error = record.error == 0 ? nil : record.error
    sentBytes = figures.sent
    receivedBytes = figures.received
    sentSegments = UInt64(figures.segmentsOut)
    receivedSegments = UInt64(figures.segmentsIn)
    retransmits = NetworkRetransmits(
      total: UInt64(figures.retransmits), afterTimeout: UInt64(connection.afterTimeout),
      inRecovery: UInt64(connection.inRecovery), asProbe: UInt64(connection.asProbe))
    resetsSent = connection.resetsSent
    resetsReceived = connection.resetsReceived
    health = NetworkHealth(record.health, ticks: ticks)
  }

  /// `enum` in include/net/tcp_states.h.
  private static func stateName(_ state: UInt32) -> String {
    let names = [
      "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
      "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
    ]
    return state >= 1 && state <= names.count ? names[Int(state) - 1] : "state \(state)"
  }
}
