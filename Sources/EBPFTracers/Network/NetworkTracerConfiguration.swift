/// What a network tracer records.
public struct NetworkTracerConfiguration: Sendable, Hashable {
  /// Whose connections and datagrams are recorded.
  public var filter = TracerFilter()
  /// Records this process too, which is otherwise left out.
  public var includesSelf = false
  /// Which addresses.
  public var addresses = NetworkAddressFilter()
  /// Also records DNS queries over UDP, with their answers. Looks at every packet.
  public var recordsDNS = false
  /// Also counts dropped packets by reason. Looks at every packet that is freed unsent or unread.
  public var recordsDrops = false
  /// Connections that are made from here, and DNS queries, carry the span that their thread was at work
  /// on, where the process publishes it (OpenTelemetry's OTEP 4947; x86-64). Processes that come later are
  /// looked at when their 1st, 2nd, 4th … record is read; what they did up to there has none.
  public var linksSpans = false
  /// Connections that can be alive at the same time; more are counted as lost. The kernel keeps
  /// about 380 bytes for each.
  public var connectionCapacity: UInt32 = 32_768
  /// Bytes of the ring through which the kernel sends events, a power of two and whole pages; what finds it
  /// full is counted as lost. Memory of this process too.
  public var eventBufferBytes: UInt32 = 4 << 20
  /// Ended connections, sockets and DNS queries that the result lists, each; totals count all.
  public var listLimit = 100_000

  /// All connections and datagrams of everything but this process.
  public init() {}
}

/// Which connections are recorded by their addresses. Acts in the kernel. Everything given must
/// agree.
public struct NetworkAddressFilter: Sendable, Hashable {
  /// An IP version.
  public enum Version: Sendable, Hashable {
    /// IPv4, also where an IPv6 socket uses it.
    case four
    /// IPv6.
    case six
  }

  /// Only this version; nil for both.
  public var version: Version?
  /// Only these ports of our end; empty for all.
  public var localPorts: Set<UInt16> = []
  /// Only these ports of the other end; empty for all.
  public var remotePorts: Set<UInt16> = []
  /// Only this network namespace, by its inode; nil for all.
  public var networkNamespace: UInt32?

  /// Every address.
  public init() {}
}
