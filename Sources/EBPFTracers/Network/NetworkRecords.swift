// The Swift side of bpf-objects/bpf/network_events.h, field by field. Every structure is a multiple
// of its alignment, so Swift and C agree; NetworkRecordsTests compares each with the object's BTF.

/// An IPv6 address as two words in memory order; IPv4 mapped into it.
struct AddressWords: Hashable, BitwiseCopyable, Sendable {
  var first: UInt64 = 0
  var second: UInt64 = 0
}

/// `struct network_control`.
struct NetworkControl: BitwiseCopyable, Sendable {
  var paused: UInt32 = 0
  var flags: UInt32 = 0
  var networkNamespace: UInt32 = 0
  var walk: UInt32 = 0

  /// `enum network_flag_bits`.
  enum Flags {
    static let events: UInt32 = 1 << 0
    static let callExits: UInt32 = 1 << 1
    static let localPorts: UInt32 = 1 << 2
    static let remotePorts: UInt32 = 1 << 3
    static let namespace: UInt32 = 1 << 4
    static let noVersion4: UInt32 = 1 << 5
    static let noVersion6: UInt32 = 1 << 6
  }

  /// `enum network_walk`.
  enum Walk {
    static let report: UInt32 = 0
    static let pause: UInt32 = 1
    static let resume: UInt32 = 2
    static let owners: UInt32 = 3
  }
}

/// `struct network_tuple`.
struct NetworkTuple: Hashable, BitwiseCopyable, Sendable {
  var local = AddressWords()
  var remote = AddressWords()
  var localPort: UInt16 = 0
  var remotePort: UInt16 = 0
  var family: UInt16 = 0
  var transport: UInt16 = 0
  var networkNamespace: UInt32 = 0
  var padding: UInt32 = 0
}

/// `struct network_owner`.
struct NetworkOwnerRecord: BitwiseCopyable, Sendable {
  var cgroup: UInt64 = 0
  var processID: UInt32 = 0
  var threadID: UInt32 = 0
  var command = CommandName("")
}

/// `struct network_figures`.
struct NetworkFigures: BitwiseCopyable, Sendable {
  var sent: UInt64 = 0
  var received: UInt64 = 0
  var segmentsOut: UInt32 = 0
  var segmentsIn: UInt32 = 0
  var retransmits: UInt32 = 0
  var padding: UInt32 = 0

  /// What came after `earlier`; the kernel's counters wrap.
  func since(_ earlier: NetworkFigures) -> NetworkFigures {
    var difference = self
    difference.sent &-= earlier.sent
    difference.received &-= earlier.received
    difference.segmentsOut &-= earlier.segmentsOut
    difference.segmentsIn &-= earlier.segmentsIn
    difference.retransmits &-= earlier.retransmits
    return difference
  }
}

/// `struct network_connection`.
struct NetworkConnectionRecord: BitwiseCopyable, Sendable {
  var opened: UInt64 = 0
  var established: UInt64 = 0
  var accepted: UInt64 = 0
  var owner = NetworkOwnerRecord()
  var tuple = NetworkTuple()
  var before = NetworkFigures()
  var atPause = NetworkFigures()
  /// `enum network_role`.
  var role: UInt32 = 0
  var flags: UInt32 = 0
  var handshakeMicroseconds: UInt32 = 0
  var retransmitsSeen: UInt32 = 0
  var afterTimeout: UInt32 = 0
  var inRecovery: UInt32 = 0
  var asProbe: UInt32 = 0
  var resetsSent: UInt32 = 0
  var resetsReceived: UInt32 = 0
  var padding: UInt32 = 0
  var span = SpanLinkRecord()
}

/// `struct network_health`.
struct NetworkHealthRecord: BitwiseCopyable, Sendable {
  var bytesSent: UInt64 = 0
  var bytesAcknowledged: UInt64 = 0
  var bytesReceived: UInt64 = 0
  var bytesRetransmitted: UInt64 = 0
  var segmentsOut: UInt32 = 0
  var segmentsIn: UInt32 = 0
  var dataSegmentsOut: UInt32 = 0
  var dataSegmentsIn: UInt32 = 0
  var totalRetransmits: UInt32 = 0
  var retransmitsOut: UInt32 = 0
  var lostOut: UInt32 = 0
  var selectivelyAcknowledged: UInt32 = 0
  var delivered: UInt32 = 0
  var deliveredCongested: UInt32 = 0
  var duplicateAcknowledgements: UInt32 = 0
  var reordering: UInt32 = 0
  var reorderingSeen: UInt32 = 0
  var outOfOrder: UInt32 = 0
  var smoothedRoundTripTimes8: UInt32 = 0
  var meanDeviationTimes4: UInt32 = 0
  var minimumRoundTrip: UInt32 = 0
  var congestionWindow: UInt32 = 0
  var slowStartThreshold: UInt32 = 0
  var segmentSize: UInt32 = 0
  var sendWindow: UInt32 = 0
  var receiveWindow: UInt32 = 0
  var receiveQueue: UInt32 = 0
  var sendQueue: UInt32 = 0
  var busy: UInt32 = 0
  var limitedByPeer: UInt32 = 0
  var limitedByBuffer: UInt32 = 0
  var chronoStart: UInt32 = 0
  var chronoType: UInt32 = 0
  var jiffies: UInt32 = 0
  var congestionState: UInt32 = 0
  var zeroWindowProbes: UInt32 = 0
  var algorithm = CommandName("")
}

/// `struct network_record`.
struct NetworkRecord: BitwiseCopyable, Sendable {
  /// `enum network_event_kind`: 1.
  var kind: UInt32 = 0
  var what: UInt32 = 0
  var time: UInt64 = 0
  var socket: UInt64 = 0
  var state: UInt32 = 0
  var error: Int32 = 0
  var connection = NetworkConnectionRecord()
  var now = NetworkFigures()
  var health = NetworkHealthRecord()

  /// `enum network_record_kind`.
  enum What {
    static let closed: UInt32 = 1
    static let failed: UInt32 = 2
    static let alive: UInt32 = 3
    static let connected: UInt32 = 4
    static let accepted: UInt32 = 5
    static let retransmitted: UInt32 = 6
    static let dismissed: UInt32 = 7
    static let gone: UInt32 = 8
  }
}

/// `struct network_socket`.
struct NetworkSocketRecord: BitwiseCopyable, Sendable {
  var first: UInt64 = 0
  var last: UInt64 = 0
  var owner = NetworkOwnerRecord()
  var tuple = NetworkTuple()
  var sentMessages: UInt64 = 0
  var sentBytes: UInt64 = 0
  var receivedMessages: UInt64 = 0
  var receivedBytes: UInt64 = 0
  var sendErrors: UInt64 = 0
  var receiveErrors: UInt64 = 0

  /// Adds what the same socket did later.
  mutating func add(_ later: NetworkSocketRecord) {
    first = min(first, later.first)
    last = max(last, later.last)
    sentMessages &+= later.sentMessages
    sentBytes &+= later.sentBytes
    receivedMessages &+= later.receivedMessages
    receivedBytes &+= later.receivedBytes
    sendErrors &+= later.sendErrors
    receiveErrors &+= later.receiveErrors
  }
}

/// `struct network_packet` without its data, which follows.
struct NetworkPacketHeader: BitwiseCopyable, Sendable {
  /// `enum network_event_kind`: 2.
  var kind: UInt32 = 0
  /// `enum network_packet_direction`: 1 a query, 2 a response.
  var direction: UInt32 = 0
  var time: UInt64 = 0
  var owner = NetworkOwnerRecord()
  var tuple = NetworkTuple()
  var span = SpanLinkRecord()
  var length: UInt32 = 0
  var captured: UInt32 = 0
}

/// `struct network_drop_key`.
struct NetworkDropKey: Hashable, BitwiseCopyable, Sendable {
  var location: UInt64 = 0
  var reason: UInt32 = 0
  var etherType: UInt32 = 0
}

/// `struct network_drops`.
struct NetworkDropCounts: BitwiseCopyable, Sendable {
  var packets: UInt64 = 0
  var bytes: UInt64 = 0
}

/// `struct network_counters`, one for each CPU.
struct NetworkCounters: BitwiseCopyable, Sendable {
  var firstEvent: UInt64 = 0
  var tcpSeen: UInt64 = 0
  var tcpTracked: UInt64 = 0
  var tcpFull: UInt64 = 0
  var tcpUnwanted: UInt64 = 0
  var tcpFailedAtOnce: UInt64 = 0
  var tcpSent: UInt64 = 0
  var tcpLost: UInt64 = 0
  var tcpDismissed: UInt64 = 0
  var tcpOverwritten: UInt64 = 0
  var lostSent: UInt64 = 0
  var lostReceived: UInt64 = 0
  var lostRetransmits: UInt64 = 0
  var lostSegments: UInt64 = 0
  var lostConnects: UInt64 = 0
  var lostAccepts: UInt64 = 0
  var udpSeen: UInt64 = 0
  var udpRecorded: UInt64 = 0
  var udpFull: UInt64 = 0
  var udpUnwanted: UInt64 = 0
  var udpFullBytesSent: UInt64 = 0
  var udpFullBytesReceived: UInt64 = 0
  var udpSockets: UInt64 = 0
  var dnsSeen: UInt64 = 0
  var dnsSent: UInt64 = 0
  var dnsLost: UInt64 = 0
  var dnsUnwanted: UInt64 = 0
  var dropSeen: UInt64 = 0
  var dropRecorded: UInt64 = 0
  var dropFull: UInt64 = 0
  var dropUnwanted: UInt64 = 0
  var extraSeen: UInt64 = 0
  var extraSent: UInt64 = 0
  var extraLost: UInt64 = 0
  var synackRetransmits: UInt64 = 0
  var resetsSent: UInt64 = 0
  var resetsReceived: UInt64 = 0
  var udpSampledOut: UInt64 = 0
  var dropSampledOut: UInt64 = 0
  var spansFound: UInt64 = 0
  var spansUnreadable: UInt64 = 0
}
