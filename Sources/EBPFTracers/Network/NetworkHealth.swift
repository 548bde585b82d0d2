internal import EBPF

/// The kernel's account of a connection's path, with the meaning that `ss -ti` and TCP_INFO give it.
public struct NetworkHealth: Sendable, Hashable {
  /// Payload bytes sent, retransmissions included.
  public var bytesSent: UInt64
  /// Bytes the peer acknowledged, SYN and FIN included.
  public var bytesAcknowledged: UInt64
  /// Bytes received, the FIN included.
  public var bytesReceived: UInt64
  /// Payload bytes sent again.
  public var bytesRetransmitted: UInt64
  /// Segments sent.
  public var segmentsOut: UInt32
  /// Segments received.
  public var segmentsIn: UInt32
  /// Segments sent with payload.
  public var dataSegmentsOut: UInt32
  /// Segments received with payload.
  public var dataSegmentsIn: UInt32
  /// Segments sent again over the whole life.
  public var totalRetransmits: UInt32
  /// Segments sent again and not yet acknowledged.
  public var retransmitsInFlight: UInt32
  /// Segments believed lost.
  public var lost: UInt32
  /// Segments the peer has, out of order.
  public var selectivelyAcknowledged: UInt32
  /// Segments that arrived at the peer.
  public var delivered: UInt32
  /// Of those, with a congestion mark (ECN).
  public var deliveredCongested: UInt32
  /// Segments the peer had twice.
  public var duplicateAcknowledgements: UInt32
  /// How far segments may be out of order before they count as lost.
  public var reordering: UInt32
  /// How often reordering was seen.
  public var reorderingSeen: UInt32
  /// Segments received out of order.
  public var outOfOrder: UInt32
  /// Smoothed round-trip time in microseconds; nil before it was measured.
  public var roundTripMicroseconds: UInt32?
  /// Its mean deviation in microseconds.
  public var roundTripVariationMicroseconds: UInt32?
  /// The smallest round-trip time of the last minutes, in microseconds.
  public var minimumRoundTripMicroseconds: UInt32?
  /// The congestion window in segments.
  public var congestionWindow: UInt32
  /// The slow-start threshold in segments; nil while there is none.
  public var slowStartThreshold: UInt32?
  /// Payload bytes of a full segment.
  public var segmentSize: UInt32
  /// Bytes the peer can take; 0 is a closed (zero) window.
  public var sendWindow: UInt32
  /// Bytes this end offered last.
  public var receiveWindow: UInt32
  /// Bytes received that nobody has read.
  public var receiveQueue: UInt32
  /// Bytes written that the peer has not acknowledged.
  public var sendQueue: UInt32
  /// Time with something to send, in nanoseconds; nil when the kernel's tick is unknown.
  public var busyNanoseconds: UInt64?
  /// Of that, waiting for the peer's window.
  public var limitedByPeerNanoseconds: UInt64?
  /// Of that, waiting for send-buffer space.
  public var limitedByBufferNanoseconds: UInt64?
  /// Zero-window probes sent and not answered.
  public var zeroWindowProbes: UInt32
  /// `open`, `disorder`, `cwr`, `recovery` or `loss`.
  public var congestionState: String
  /// The congestion-control algorithm: `cubic`.
  public var algorithm: String

  init(_ record: NetworkHealthRecord, ticks: KernelTicks) {
    bytesSent = record.bytesSent
    bytesAcknowledged = record.bytesAcknowledged
    bytesReceived = record.bytesReceived
    bytesRetransmitted = record.bytesRetransmitted
    segmentsOut = record.segmentsOut
    segmentsIn = record.segmentsIn
    dataSegmentsOut = record.dataSegmentsOut
    dataSegmentsIn = record.dataSegmentsIn
    totalRetransmits = record.totalRetransmits
    retransmitsInFlight = record.retransmitsOut
    lost = record.lostOut
    selectivelyAcknowledged = record.selectivelyAcknowledged
    delivered = record.delivered
    deliveredCongested = record.deliveredCongested
    duplicateAcknowledgements = record.duplicateAcknowledgements
    reordering = record.reordering
    reorderingSeen = record.reorderingSeen
    outOfOrder = record.outOfOrder
    let isMeasured = record.smoothedRoundTripTimes8 != 0
    roundTripMicroseconds = isMeasured ? record.smoothedRoundTripTimes8 >> 3 : nil
    roundTripVariationMicroseconds = isMeasured ? record.meanDeviationTimes4 >> 2 : nil
    // The kernel starts with all ones.
    minimumRoundTripMicroseconds = record.minimumRoundTrip == .max ? nil : record.minimumRoundTrip
    congestionWindow = record.congestionWindow
    // TCP_INFINITE_SSTHRESH, include/net/tcp.h
    slowStartThreshold = record.slowStartThreshold >= 0x7fff_ffff ? nil : record.slowStartThreshold
    segmentSize = record.segmentSize
    sendWindow = record.sendWindow
    receiveWindow = record.receiveWindow
    receiveQueue = record.receiveQueue
    sendQueue = record.sendQueue
    // tcp_get_info_chrono_stats: the busy time is the sum of all three, the running one included.
    var chrono = [record.busy, record.limitedByPeer, record.limitedByBuffer]
    if record.chronoType >= 1, record.chronoType <= 3 {
      chrono[Int(record.chronoType) - 1] &+= record.jiffies &- record.chronoStart
    }
    busyNanoseconds = ticks.nanoseconds(UInt64(chrono[0]) + UInt64(chrono[1]) + UInt64(chrono[2]))
    limitedByPeerNanoseconds = ticks.nanoseconds(UInt64(chrono[1]))
    limitedByBufferNanoseconds = ticks.nanoseconds(UInt64(chrono[2]))
    zeroWindowProbes = record.zeroWindowProbes
    let states = ["open", "disorder", "cwr", "recovery", "loss"]
    congestionState =
      record.congestionState < UInt32(states.count)
      ? states[Int(record.congestionState)] : "state \(record.congestionState)"
    algorithm = record.algorithm.text
  }
}

/// The kernel's tick, in which it keeps some times.
struct KernelTicks: Sendable, Hashable {
  /// The running kernel's, read once when it is first needed.
  static let running: KernelTicks = {
    do throws(EBPFError) {
      guard case .number(let ticks)? = try KernelConfiguration.running().value(of: "CONFIG_HZ"),
        ticks > 0, ticks <= 10_000
      else { return KernelTicks(perSecond: nil) }
      return KernelTicks(perSecond: ticks)
    } catch { return KernelTicks(perSecond: nil) }  // The times are then unknown, and say so.
  }()

  /// Ticks a second; nil when the kernel's configuration cannot be read.
  let perSecond: UInt64?

  func nanoseconds(_ ticks: UInt64) -> UInt64? {
    perSecond.map { ticks * (1_000_000_000 / $0) }
  }
}
