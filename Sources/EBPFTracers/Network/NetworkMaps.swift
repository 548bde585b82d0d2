internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Synchronization

/// The maps of network_tracer.bpf.c, as its contract (network_events.h) describes them.
struct NetworkMaps: ~Copyable, Sendable {
  private let control: Map<UInt32, NetworkControl>
  private let counters: PerCPUMap<UInt32, NetworkCounters>
  private let connections: Map<UInt64, NetworkConnectionRecord>
  private let visits: MappedArray<NetworkRecord>
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
    let visits = try MappedArray<NetworkRecord>(try object.map("visits"))
    let connections = try Map<UInt64, NetworkConnectionRecord>(try object.map("connections"))
    let control = try Map<UInt32, NetworkControl>(try object.map("control"))
    let counters = try PerCPUMap<UInt32, NetworkCounters>(try object.map("counters"))
    let active = try object.map("active_sockets")
    let datagrams = [
      try Map<UInt64, NetworkSocketRecord>(try object.map("sockets_a")),
      try Map<UInt64, NetworkSocketRecord>(try object.map("sockets_b")),
    ]
    let localPorts = try Map<UInt16, UInt32>(try object.map("local_ports"))
    let remotePorts = try Map<UInt16, UInt32>(try object.map("remote_ports"))
    let dropReasons = try Map<NetworkDropKey, NetworkDropCounts>(try object.map("drop_reasons"))
    self.connections = connections
    self.control = control
    self.counters = counters
    self.active = active
    self.datagrams = datagrams
    self.localPorts = localPorts
    self.remotePorts = remotePorts
    self.dropReasons = dropReasons
    self.visits = visits
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

  // MARK: Connections

  /// Lets the program look at every connection in the table; returns the records that it filled, and
  /// how many connections the filters leave out. One call at a time.
  func visit(by program: Program) throws(EBPFError) -> (records: [NetworkRecord], dismissed: UInt64)
  {
    let sockets = try connections.keys()
    var records: [NetworkRecord] = []
    records.reserveCapacity(sockets.count)
    var dismissed: UInt64 = 0
    for start in stride(from: 0, to: sockets.count, by: visits.count) {
      let some = sockets[start..<min(start + visits.count, sockets.count)]
      for (index, socket) in some.enumerated() { visits[index] = NetworkRecord(socket: socket) }
      if some.count < visits.count { visits[some.count] = NetworkRecord() }
      _ = try program.testRun()
      for index in 0..<some.count {
        let record = visits[index]
        switch record.what {
        case NetworkRecord.What.alive: records.append(record)
        case NetworkRecord.What.dismissed: dismissed += 1
        // It ended meanwhile, which its last record tells, or no record was wanted.
        default: continue
        }
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
    do throws(EBPFError) { return try KernelSymbols.load() } catch { return nil }
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
    \.udpSampledOut, \.dropSampledOut, \.spansFound, \.spansUnreadable,
  ]
}
