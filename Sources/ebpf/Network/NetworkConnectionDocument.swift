import EBPFTracers

/// A connection in JSON.
struct NetworkConnectionDocument: Encodable {
  let role: String
  let localAddress: String
  let localPort: UInt16
  let remoteAddress: String
  let remotePort: UInt16
  let ipVersion: Int
  let networkNamespace: UInt32
  @Nullable var pid: Int32?
  @Nullable var tid: Int32?
  @Nullable var command: String?
  @Nullable var cgroupId: UInt64?
  @Nullable var cgroup: String?
  @Nullable var container: ContainerDocument?
  let state: String
  let established: Bool
  let alive: Bool
  @Nullable var error: String?
  @Nullable var openedUnixNs: Int64?
  let durationNs: UInt64
  @Nullable var handshakeNs: UInt64?
  @Nullable var acceptNs: UInt64?
  let bytesSent: UInt64
  let bytesReceived: UInt64
  let segmentsSent: UInt64
  let segmentsReceived: UInt64
  let retransmits: Retransmits
  let resetsSent: UInt32
  let resetsReceived: UInt32
  let health: Health

  struct Retransmits: Encodable {
    let total: UInt64
    let timeout: UInt64
    let recovery: UInt64
    let probe: UInt64
  }

  /// The kernel's own figures, over the whole life of the connection.
  struct Health: Encodable {
    @Nullable var rttUs: UInt32?
    @Nullable var rttVarUs: UInt32?
    @Nullable var minRttUs: UInt32?
    let bytesSent: UInt64
    let bytesAcked: UInt64
    let bytesReceived: UInt64
    let bytesRetransmitted: UInt64
    let segmentsOut: UInt32
    let segmentsIn: UInt32
    let dataSegmentsOut: UInt32
    let dataSegmentsIn: UInt32
    let retransmitsTotal: UInt32
    let retransmitsInFlight: UInt32
    let lost: UInt32
    let sacked: UInt32
    let delivered: UInt32
    let deliveredCe: UInt32
    let dsackDuplicates: UInt32
    let reordering: UInt32
    let reorderingSeen: UInt32
    let outOfOrder: UInt32
    let cwnd: UInt32
    @Nullable var ssthresh: UInt32?
    let mss: UInt32
    let sendWindow: UInt32
    let receiveWindow: UInt32
    let sendQueue: UInt32
    let receiveQueue: UInt32
    @Nullable var busyNs: UInt64?
    @Nullable var limitedByPeerNs: UInt64?
    @Nullable var limitedByBufferNs: UInt64?
    let zeroWindowProbes: UInt32
    let congestionState: String
    let congestionAlgorithm: String

    init(_ health: NetworkHealth) {
      rttUs = health.roundTripMicroseconds
      rttVarUs = health.roundTripVariationMicroseconds
      minRttUs = health.minimumRoundTripMicroseconds
      bytesSent = health.bytesSent
      bytesAcked = health.bytesAcknowledged
      bytesReceived = health.bytesReceived
      bytesRetransmitted = health.bytesRetransmitted
      segmentsOut = health.segmentsOut
      segmentsIn = health.segmentsIn
      dataSegmentsOut = health.dataSegmentsOut
      dataSegmentsIn = health.dataSegmentsIn
      retransmitsTotal = health.totalRetransmits
      retransmitsInFlight = health.retransmitsInFlight
      lost = health.lost
      sacked = health.selectivelyAcknowledged
      delivered = health.delivered
      deliveredCe = health.deliveredCongested
      dsackDuplicates = health.duplicateAcknowledgements
      reordering = health.reordering
      reorderingSeen = health.reorderingSeen
      outOfOrder = health.outOfOrder
      cwnd = health.congestionWindow
      ssthresh = health.slowStartThreshold
      mss = health.segmentSize
      sendWindow = health.sendWindow
      receiveWindow = health.receiveWindow
      sendQueue = health.sendQueue
      receiveQueue = health.receiveQueue
      busyNs = health.busyNanoseconds
      limitedByPeerNs = health.limitedByPeerNanoseconds
      limitedByBufferNs = health.limitedByBufferNanoseconds
      zeroWindowProbes = health.zeroWindowProbes
      congestionState = health.congestionState
      congestionAlgorithm = health.algorithm
    }
  }

  init(_ connection: NetworkConnection, _ wallOffset: Int64, _ containers: ContainerNames?) {
    role = connection.role.rawValue
    localAddress = connection.local.address.description
    localPort = connection.local.port
    remoteAddress = connection.remote.address.description
    remotePort = connection.remote.port
    ipVersion = connection.remote.address.isVersion4 ? 4 : 6
    networkNamespace = connection.networkNamespace
    pid = connection.process?.id
    tid = connection.process?.threadID
    command = connection.process?.command
    cgroupId = connection.process?.cgroup
    let place = PlaceDocument(
      containers, cgroup: connection.process?.cgroup, process: connection.process?.id)
    cgroup = place.cgroup
    container = place.container
    state = connection.state
    established = connection.isEstablished
    alive = connection.closed == nil
    error = connection.errorName
    openedUnixNs = connection.opened.map {
      Int64(clamping: $0).addingReportingOverflow(wallOffset).partialValue
    }
    durationNs = connection.durationNanoseconds
    handshakeNs = connection.handshakeNanoseconds
    acceptNs = connection.acceptNanoseconds
    bytesSent = connection.sentBytes
    bytesReceived = connection.receivedBytes
    segmentsSent = connection.sentSegments
    segmentsReceived = connection.receivedSegments
    retransmits = Retransmits(
      total: connection.retransmits.total, timeout: connection.retransmits.afterTimeout,
      recovery: connection.retransmits.inRecovery, probe: connection.retransmits.asProbe)
    resetsSent = connection.resetsSent
    resetsReceived = connection.resetsReceived
    health = Health(connection.health)
  }
}
