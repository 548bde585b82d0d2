internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Synchronization

/// A network tracer between start and stop: its object in the kernel, its links, its reader.
///
/// Everything is given back when the last reference goes.
final class NetworkSession: TracerSession {
  let configuration: NetworkTracerConfiguration
  /// When the tracer was asked to start, before anything was loaded: the monotonic clock.
  let requestTime: UInt64
  let recordingSince: UInt64
  let hooks: [TracerHook]

  private let object: LoadedObject
  private let links: Links
  private let kernelMaps: NetworkMaps
  private let collector: Mutex<NetworkCollector>
  private let poller: Poller
  private let meter: OverheadMeter
  private let listener: (@Sendable ([NetworkEvent]) -> Void)?
  /// The first event of many is handled at once, the others at most a millisecond later.
  private static let pace: UInt64 = 1_000_000
  /// Held by whoever walks over the connections or changes the maps in use.
  private let walking = Mutex(())
  private let economy: EconomyMap
  private let filter: ProcessFilter
  /// Asks processes for their spans; nil unless that is wanted.
  private let contexts: ContextWatch?
  /// What is detached while suspended.
  private let costlyPrograms: [String]
  /// Why nothing is recorded: on request, or to save.
  private let halts = Mutex((isPaused: false, isSuspended: false))

  init(
    _ configuration: NetworkTracerConfiguration, lists: ProcessLists?,
    kernel: any KernelInterface, listener: (@Sendable ([NetworkEvent]) -> Void)?
  ) throws(EBPFError) {
    requestTime = Clock.monotonic.now
    self.configuration = configuration
    self.listener = listener
    meter = OverheadMeter(kernel: kernel)
    var options = LoadOptions()
    options.maxEntries["connections"] = configuration.connectionCapacity
    options.maxEntries["events"] = configuration.eventBufferBytes
    filter = try ProcessFilter(
      configuration.filter, excluding: configuration.includesSelf ? nil : CurrentProcess.id,
      lists: lists, kernel: kernel)
    let attached = try AttachedHooks(
      try ObjectFile(parsing: EmbeddedObject.networkTracer, name: "network_tracer"),
      plans: NetworkHooks.plans(configuration), loading: [NetworkHooks.walker], options: options,
      filter: filter, kernel: kernel
    ) { (object) throws(EBPFError) in
      try NetworkMaps(object).configure(
        configuration.addresses, sendsEvents: listener != nil, hasCallExits: false)
    }
    object = attached.object
    links = attached.links
    hooks = attached.hooks
    kernelMaps = try NetworkMaps(object)
    economy = try EconomyMap(object)
    costlyPrograms = links.names.filter(NetworkHooks.isCostly)
    let hasCallExits = hooks.contains { $0.need == NetworkHooks.callExits && $0.used != "none" }
    try kernelMaps.configure(
      configuration.addresses, sendsEvents: listener != nil, hasCallExits: hasCallExits)
    contexts = try NetworkSession.contexts(object, configuration)
    collector = Mutex(
      NetworkCollector(
        ring: try RingBuffer(try object.map("events")), listLimit: configuration.listLimit,
        hasListener: listener != nil, contexts: contexts))
    do throws(Errno) { poller = try Poller(pace: NetworkSession.pace) } catch {
      throw EBPFError(
        .system, "cannot prepare to wait for connections",
        systemCall: .init(call: "epoll_create1", errno: error.rawValue, name: error.name))
    }
    recordingSince = Clock.monotonic.now
    try takeInExisting()
    // They were needed to load; reading them again takes a few milliseconds.
    KernelTypes.running.forget()
    try startReading(try object.map("events").fileDescriptor)
  }

  /// Those that publish already are known before the first connection.
  private static func contexts(
    _ object: LoadedObject, _ configuration: NetworkTracerConfiguration
  ) throws(EBPFError) -> ContextWatch? {
    guard configuration.linksSpans else { return nil }
    let contexts = try ContextWatch(object, symbolizer: Symbolizer.ofTracers())
    let wanted = configuration.filter.processes
    try wanted.isEmpty ? contexts.prepareAll() : contexts.prepare(wanted)
    return contexts
  }

  private var canTakeInExisting: Bool { links.names.contains(NetworkHooks.existing) }

  /// Walks over all open files, whose connections become known.
  private func takeInExisting() throws(EBPFError) {
    guard canTakeInExisting else { return }
    _ = try links.withLink(NetworkHooks.existing) { (link) throws(EBPFError) in
      try link.readIterator()
    }
  }

  // MARK: Reading

  private func startReading(_ ring: Int32) throws(EBPFError) {
    do throws(Errno) {
      // The handlers must not keep the session alive: the session owns the poller.
      _ = try poller.add(ring) { [weak self] in self?.drain() }
      _ = try poller.addTimer(nanoseconds: 200_000_000) { [weak self] in self?.tick() }
      try poller.start()
    } catch {
      throw EBPFError(
        .system, "cannot wait for the network tracer's ring buffer",
        systemCall: .init(call: "epoll_ctl", errno: error.rawValue, name: error.name))
    }
  }

  private func drain() {
    let events = collector.withLock { $0.drain(now: Clock.monotonic.now) }
    if let listener, !events.isEmpty { listener(events) }
  }

  /// Five times a second: makes room in the datagram map before it is full.
  private func tick() {
    // What cannot be read now is read at the end; until then the kernel counts what finds no room.
    do throws(EBPFError) {
      if try kernelMaps.isDatagramMapHalfFull() { try takeDatagrams() }
    } catch { return }
  }

  private func takeDatagrams() throws(EBPFError) {
    try walking.withLock { (_) throws(EBPFError) in
      let entries = try kernelMaps.takeDatagrams()
      collector.withLock { $0.add(entries) }
    }
  }

  /// The records of connections that live, and how many the filters leave out.
  private func living() throws(EBPFError) -> (records: [NetworkRecord], dismissed: UInt64) {
    try walking.withLock { (_) throws(EBPFError) in
      if canTakeInExisting {
        try kernelMaps.setWalk(NetworkControl.Walk.owners)
        try takeInExisting()
        try kernelMaps.setWalk(NetworkControl.Walk.report)
      }
      return try kernelMaps.visit(by: try object.program(NetworkHooks.walker))
    }
  }

  // MARK: Requests

  func setPaused(_ isPaused: Bool) throws(EBPFError) {
    try halts.withLock { (halts) throws(EBPFError) in
      if !halts.isSuspended { try setHalted(isPaused) }
      halts.isPaused = isPaused
    }
  }

  /// Leaves out what costs too much.
  func economize(_ economy: TracerEconomy) throws(EBPFError) {
    self.economy.apply(economy)
    try halts.withLock { (halts) throws(EBPFError) in
      guard economy.isSuspended != halts.isSuspended else { return }
      if economy.isSuspended {
        for name in costlyPrograms { try links.detach(name) }
      } else {
        for name in costlyPrograms {
          try links.insert(try object.program(name).attachBySection(), as: name)
        }
      }
      if !halts.isPaused { try setHalted(economy.isSuspended) }
      halts.isSuspended = economy.isSuspended
    }
  }

  private func setHalted(_ isPaused: Bool) throws(EBPFError) {
    try walking.withLock { (_) throws(EBPFError) in
      if isPaused { try kernelMaps.setPaused(true) }
      try kernelMaps.setWalk(
        isPaused ? NetworkControl.Walk.pause : NetworkControl.Walk.resume)
      _ = try kernelMaps.visit(by: try object.program(NetworkHooks.walker))
      try kernelMaps.setWalk(NetworkControl.Walk.report)
      if !isPaused {
        try kernelMaps.setPaused(false)
        try takeInExisting()
      }
    }
  }

  func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    try self.filter.change(to: filter, in: object)
  }

  func statistics() throws(EBPFError) -> TracerStatistics {
    try statistics(of: try kernelMaps.counts(), malformed: collector.withLock { $0.malformed })
  }

  /// `dismissed` are connections that live and that the filters leave out.
  private func statistics(
    of counts: NetworkCounters, malformed: UInt64, dismissed: UInt64 = 0
  ) throws(EBPFError) -> TracerStatistics {
    var missed: UInt64 = 0
    for program in object.programs { missed += try program.information().recursionMisses }
    var statistics = TracerStatistics()
    statistics.seen =
      counts.tcpSeen + counts.udpSeen + counts.dnsSeen + counts.dropSeen + counts.extraSeen + missed
    statistics.dropped =
      counts.tcpFull + counts.tcpLost + counts.tcpOverwritten + counts.udpFull + counts.dnsLost
      + counts.dropFull + counts.extraLost + malformed + missed
    statistics.unwanted =
      counts.tcpUnwanted + counts.tcpDismissed + dismissed + counts.udpUnwanted
      + counts.dnsUnwanted + counts.dropUnwanted + counts.udpSampledOut + counts.dropSampledOut
    statistics.sampledOut = counts.udpSampledOut + counts.dropSampledOut
    let kept =
      counts.tcpTracked + counts.tcpFailedAtOnce + counts.udpRecorded + counts.dnsSent
      + counts.dropRecorded + counts.extraSent
    let gone = counts.tcpLost + counts.tcpDismissed + counts.tcpOverwritten + malformed + dismissed
    // Counters of several CPUs are not read at one moment.
    statistics.recorded = kept - min(kept, gone)
    statistics.malformed = malformed
    statistics.unfollowed = try filter.lists.lost()
    if counts.firstEvent > requestTime {
      statistics.firstEventNanoseconds = counts.firstEvent - requestTime
    }
    return statistics
  }

  func overhead() throws(EBPFError) -> TracerOverhead {
    let latencies = collector.withLock { $0.result.latencies }
    return try meter.read(object, filter.lists, latencies: latencies)
  }

  func kernelNanoseconds() throws(EBPFError) -> UInt64? {
    try meter.kernelNanoseconds(object, filter.lists)
  }

  func activity() throws(EBPFError) -> NetworkActivity {
    drain()
    try takeDatagrams()
    let living = try living()
    drain()
    let counts = try kernelMaps.counts()
    return try activity(living, counts, isOver: false)
  }

  func finish(recordedNanoseconds: UInt64) throws(EBPFError) -> NetworkActivity {
    for name in links.names where name != NetworkHooks.existing {
      try links.detach(name)
    }
    // Waits for programs that still run, so that what follows is all there is.
    try takeDatagrams()
    poller.stop()
    let living = try living()
    drain()
    var activity = try activity(living, try kernelMaps.counts(), isOver: true)
    activity.statistics.recordedNanoseconds = recordedNanoseconds
    return activity
  }

  private func activity(
    _ living: (records: [NetworkRecord], dismissed: UInt64), _ counts: NetworkCounters,
    isOver: Bool
  ) throws(EBPFError) -> NetworkActivity {
    if isOver {
      let waiting = collector.withLock { collector in collector.finishQueries() }
      if let listener, !waiting.isEmpty { listener(waiting) }
    }
    let (received, malformed) = collector.withLock { ($0.result, $0.malformed) }
    var totals = received.totals
    var connections = received.connections
    for record in living.records {
      let connection = NetworkConnection(record, ticks: .running)
      totals.add(connection)
      connections.append(connection)
    }
    totals.bytesSent &+= counts.lostSent &+ counts.udpFullBytesSent
    totals.bytesReceived &+= counts.lostReceived &+ counts.udpFullBytesReceived
    totals.retransmits &+= counts.lostRetransmits
    totals.segments &+= counts.lostSegments
    totals.connects += counts.lostConnects
    totals.accepts += counts.lostAccepts
    totals.listenerRetransmits = counts.synackRetransmits
    totals.resetsSent = counts.resetsSent
    totals.resetsReceived = counts.resetsReceived
    totals.drops = counts.dropSeen - min(counts.dropSeen, counts.dropUnwanted)
    return NetworkActivity(
      totals: totals, connections: connections,
      sockets: received.sockets.values.sorted { $0.first < $1.first }.map(NetworkSocket.init),
      queries: received.queries, malformedMessages: received.matcher.malformed,
      drops: configuration.recordsDrops ? try kernelMaps.drops() : [],
      unlisted: received.unlisted,
      contexts: contexts?.statistics(
        linked: counts.spansFound, lost: 0, unreadable: counts.spansUnreadable),
      statistics: try statistics(of: counts, malformed: malformed, dismissed: living.dismissed),
      overhead: try overhead(), hooks: hooks, wallOffset: Clock.monotonic.wallOffset)
  }

  /// Gives everything back to the kernel.
  func unload() {
    links.detachAll()
    object.unload()
  }
}
