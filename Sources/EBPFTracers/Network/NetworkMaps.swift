internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Synchronization

/// The maps of network_tracer.bpf.c, as its contract (network_events.h) describes them.
struct NetworkMaps: Sendable {
  private let control: Map<UInt32, NetworkControl>
  private let counters: PerCPUMap<UInt32, NetworkCounters>
  private let connections: RawMap
  private let active: RawMap
  private let datagrams: [Map<UInt64, NetworkSocketRecord>]
  private let localPorts: Map<UInt16, UInt32>
  private let remotePorts: Map<UInt16, UInt32>
  private let dropReasons: Map<NetworkDropKey, NetworkDropCounts>
  private let state = Box()

  /// What was last written, and which datagram map is in use.
  private final class Box: Sendable {
    struct Value {
      var control = NetworkControl()
      var active = 0
      var socketsTaken: UInt64 = 0
    }
    let value = Mutex(Value())
  }

  init(_ object: LoadedObject) throws(EBPFError) {
    control = try Map(try object.map("control"))
    counters = try PerCPUMap(try object.map("counters"))
    connections = try object.map("connections")
    active = try object.map("active_sockets")
    datagrams = [
      try Map(try object.map("sockets_a")), try Map(try object.map("sockets_b")),
    ]
    localPorts = try Map(try object.map("local_ports"))
    remotePorts = try Map(try object.map("remote_ports"))
    dropReasons = try Map(try object.map("drop_reasons"))
  }

  // MARK: Control

  /// Writes the address filter and what programs must know.
  func configure(
    _ addresses: NetworkAddressFilter, sendsEvents: Bool, hasCallExits: Bool
  ) throws(EBPFError) {
    typealias Flags = NetworkControl.Flags
    var flags: UInt32 = 0
    if sendsEvents { flags |= Flags.events }
    if hasCallExits { flags |= Flags.callExits }
    for port in addresses.localPorts { try localPorts.update(port, 1) }
    if !addresses.localPorts.isEmpty { flags |= Flags.localPorts }
    for port in addresses.remotePorts { try remotePorts.update(port, 1) }
    if !addresses.remotePorts.isEmpty { flags |= Flags.remotePorts }
    if addresses.version == .four { flags |= Flags.noVersion6 }
    if addresses.version == .six { flags |= Flags.noVersion4 }
    if addresses.networkNamespace != nil { flags |= Flags.namespace }
    let (written, namespace) = (flags, addresses.networkNamespace ?? 0)
    try change { control in
      control.flags = written
      control.networkNamespace = namespace
    }
  }

  func setPaused(_ isPaused: Bool) throws(EBPFError) {
    try change { $0.paused = isPaused ? 1 : 0 }
  }

  func setWalk(_ walk: UInt32) throws(EBPFError) { try change { $0.walk = walk } }

  private func change(_ body: (inout NetworkControl) -> Void) throws(EBPFError) {
    try state.value.withLock { (value) throws(EBPFError) in
      body(&value.control)
      try control.update(0, value.control)
    }
  }

  // MARK: Figures

  /// The counters, summed over CPUs.
  func counts() throws(EBPFError) -> NetworkCounters {
    NetworkCounters(summing: try counters.values(for: 0) ?? [])
  }

  /// `union bpf_iter_link_info` for the table of connections.
  var iteratorTarget: [UInt8] {
    BitwiseBytes.read(connections.fileDescriptor) { BitwiseBytes.array($0) }
  }

  /// The records that the walk over the connections wrote.
  func records(in bytes: [UInt8]) throws(EBPFError) -> (records: [NetworkRecord], dismissed: UInt64)
  {
    let size = MemoryLayout<NetworkRecord>.stride
    guard bytes.count % size == 0 else {
      throw EBPFError(
        .malformed,
        "the kernel's list of connections is \(bytes.count) bytes, not a multiple of \(size)")
    }
    var records: [NetworkRecord] = []
    records.reserveCapacity(bytes.count / size)
    var dismissed: UInt64 = 0
    for index in 0..<(bytes.count / size) {
      guard
        let record = BitwiseBytes.load(
          NetworkRecord.self, from: bytes.span.rawBytes, at: index * size)
      else { continue }
      if record.what == NetworkRecord.What.dismissed {
        dismissed += 1
      } else {
        records.append(record)
      }
    }
    return (records, dismissed)
  }

  // MARK: Datagrams

  /// True when the map in use should be emptied before it is full.
  func isDatagramMapHalfFull() throws(EBPFError) -> Bool {
    let made = try counts().udpSockets
    let taken = state.value.withLock { $0.socketsTaken }
    return made - min(made, taken) > UInt64(datagrams[0].raw.information.maxEntries) / 2
  }

  /// Puts the other map into use and returns what the old one has. Nothing is lost: the kernel lets
  /// programs that still use the old map end first.
  func takeDatagrams() throws(EBPFError) -> [(key: UInt64, value: NetworkSocketRecord)] {
    let old = state.value.withLock { value in
      defer { value.active = 1 - value.active }
      return value.active
    }
    let next = UInt32(bitPattern: datagrams[1 - old].raw.fileDescriptor)
    try Map<UInt32, UInt32>(active).update(0, next)
    let entries = try datagrams[old].takeAll()
    state.value.withLock { $0.socketsTaken += UInt64(entries.count) }
    return entries
  }

  // MARK: Drops

  /// Dropped packets, named, most first.
  func drops() throws(EBPFError) -> [NetworkDrop] {
    let entries = try dropReasons.entries()
    guard !entries.isEmpty else { return [] }
    let names = try NetworkMaps.reasonNames()
    let symbols = NetworkMaps.kernelSymbols()
    return entries.map { key, counts in
      NetworkDrop(
        reason: names[key.reason] ?? NetworkMaps.unnamed(key.reason),
        function: symbols?.function(at: key.location)?.name,
        etherType: UInt16(truncatingIfNeeded: key.etherType), packets: counts.packets,
        bytes: counts.bytes)
    }.sorted { ($0.packets, $1.reason) > ($1.packets, $0.reason) }
  }

  /// A subsystem numbers its own reasons, above bit 16 (include/net/dropreason.h).
  private static func unnamed(_ reason: UInt32) -> String {
    reason >> 16 == 0 ? "reason \(reason)" : "subsystem \(reason >> 16), reason \(reason & 0xffff)"
  }

  private static func reasonNames() throws(EBPFError) -> [UInt32: String] {
    let types = try KernelTypes.running.vmlinux()
    guard let id = try types.firstID(named: "skb_drop_reason", kind: .enumeration) else {
      return [:]
    }
    var names: [UInt32: String] = [:]
    for enumerator in try types.enumerators(of: try types.type(id)) {
      var name = try types.string(at: enumerator.nameOffset)[...]
      if name.hasPrefix("SKB_DROP_REASON_") { name = name.dropFirst(16) }
      names[UInt32(truncatingIfNeeded: enumerator.bits)] = String(name)
    }
    return names
  }

  /// Nil where they cannot be read: functions then have no names.
  private static func kernelSymbols() -> KernelSymbols? {
    do throws(Errno) {
      let text = try SystemFile.read("/proc/kallsyms", limit: 64 << 20)
      do throws(EBPFError) { return try KernelSymbols(parsing: text) } catch { return nil }
    } catch { return nil }
  }
}

extension NetworkCounters {
  /// The sum over CPUs; `firstEvent` is the earliest one.
  init(summing counters: [NetworkCounters]) {
    for cpu in counters {
      if cpu.firstEvent != 0, firstEvent == 0 || cpu.firstEvent < firstEvent {
        firstEvent = cpu.firstEvent
      }
      for field in NetworkCounters.sums { self[keyPath: field] &+= cpu[keyPath: field] }
    }
  }

  private static let sums: [any WritableKeyPath<NetworkCounters, UInt64> & Sendable] = [
    \.tcpSeen, \.tcpTracked, \.tcpFull, \.tcpUnwanted, \.tcpFailedAtOnce, \.tcpSent, \.tcpLost,
    \.tcpDismissed, \.tcpOverwritten, \.lostSent, \.lostReceived, \.lostRetransmits,
    \.lostSegments, \.lostConnects, \.lostAccepts, \.udpSeen, \.udpRecorded, \.udpFull,
    \.udpUnwanted, \.udpFullBytesSent, \.udpFullBytesReceived, \.udpSockets, \.dnsSeen, \.dnsSent,
    \.dnsLost, \.dnsUnwanted, \.dropSeen, \.dropRecorded, \.dropFull, \.dropUnwanted,
    \.extraSeen, \.extraSent, \.extraLost, \.synackRetransmits, \.resetsSent, \.resetsReceived,
    \.followLost,
  ]
}
