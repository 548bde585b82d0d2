internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Synchronization

/// A memory tracer between start and stop: its object in the kernel, its probes, its reader.
final class MemorySession: Sendable {
  let configuration: MemoryTracerConfiguration
  let symbolizer: Symbolizer
  let baseline: ProcessBaseline
  /// When the tracer was asked to start, before anything was loaded: the monotonic clock.
  let requestTime: UInt64
  /// When recording began, in nanoseconds of the monotonic and of the wall clock.
  let startTime: (monotonic: UInt64, wall: UInt64)

  private let attached: AttachedHooks
  private let costly: CostlyHooks
  private let growthHooks: [TracerHook]
  /// Nil where frame pointers are followed.
  private let unwinding: UnwindBuilder?
  private let probes: AllocatorProbes?
  /// Allocations are those that processes tell of, and not the allocator's.
  let usesStaticProbes: Bool
  /// Why they are not.
  private let sourceRefusal: TracerHook.Refusal?
  private let collector: Mutex<MemoryCollector>
  private let poller: Poller
  private let counters: PerCPUMap<UInt32, MemoryCounters>
  private let control: Map<UInt32, MemoryControl>
  private let processes: Map<ProcessIdentity, MemoryProcessRecord>
  private let filter: ProcessFilter
  private let economy: EconomyMap
  private let meter: OverheadMeter
  private let state: Mutex<State>

  private struct State {
    var control = MemoryControl()
    /// Why nothing is recorded: on request, or to save.
    var isPaused = false
    var isSuspended = false
    var ended: EndedProcesses
    /// Allocators that could not be probed when a followed process began a program that has them.
    var missed: [String] = []

    init(_ configuration: MemoryTracerConfiguration) {
      ended = EndedProcesses(limit: Int(configuration.endedLimit))
    }

    mutating func setRecording() {
      control.paused =
        isPaused || isSuspended ? MemoryControl.Recording.paused : MemoryControl.Recording.on
    }
  }

  init(
    _ configuration: MemoryTracerConfiguration, source: AllocationSource,
    locator: AllocatorLocator, watchesCompat: Bool, symbolizer: Symbolizer, lists: ProcessLists?,
    kernel: any KernelInterface
  ) throws(EBPFError) {
    self.symbolizer = symbolizer
    requestTime = Clock.monotonic.now
    self.configuration = configuration
    state = Mutex(State(configuration))
    let meter = OverheadMeter(kernel: kernel)
    let numbers = try ProcessNumbers()
    baseline = ProcessBaseline(of: configuration.filter.processes, numbers)
    let release = try MemorySession.release()
    let processes = configuration.probedProcesses
    var control = MemoryControl(configuration)
    usesStaticProbes = source.usesStaticProbes
    sourceRefusal = source.refusal
    // What processes tell of was picked already.
    if usesStaticProbes { control.sampleBytes = 0 }
    var mechanism = AllocatorProbes.Mechanism(attachType: AttachType(rawValue: 0))
    if configuration.allocations != .none {
      mechanism = AllocatorProbes.mechanism(
        processes: processes, isSampling: control.sampleBytes != 0, release: release,
        kernel: kernel)
    }
    filter = try ProcessFilter(
      configuration.filter, excluding: configuration.includesSelf ? nil : CurrentProcess.id,
      lists: lists, kernel: kernel)
    let loaded = try MemoryHooks(
      configuration, control, source, mechanism, filter: filter, kernel: kernel)
    attached = loaded.attached
    costly = CostlyHooks(attached)
    growthHooks = loaded.hooks
    let object = attached.object
    unwinding = loaded.walks ? try UnwindBuilder(object, symbolizer: symbolizer) : nil
    economy = try EconomyMap(object)
    counters = try PerCPUMap(try object.map("counters"))
    self.control = try Map(try object.map("control"))
    self.processes = try Map(try object.map("processes"))
    let events = try object.map("events")
    collector = Mutex(
      try MemorySession.collector(
        of: events, siteLimit: Int(configuration.siteLimit), kernel: kernel))
    do throws(Errno) { poller = try Poller() } catch {
      throw EBPFError(
        .system, "cannot prepare to wait for events",
        systemCall: .init(call: "epoll_create1", errno: error.rawValue, name: error.name))
    }
    self.meter = meter
    // A process that is there already must be looked at before it ends.
    for process in configuration.filter.processes {
      do throws(EBPFError) {
        try symbolizer.snapshot(pid: numbers.outer(process))
      } catch { continue }
    }
    try unwinding?.prepare(configuration.filter.processes)
    let probes = AllocatorProbes(
      object, locator: locator, processes: processes, mechanism: mechanism,
      usesStaticProbes: usesStaticProbes)
    switch source {
    case .none: self.probes = nil
    case .allocators(let files, _):
      try probes.attach(files, subject: MemorySession.subject(configuration))
      self.probes = probes
    case .staticProbes(let files):
      try probes.attach(files)
      self.probes = probes
    }
    if costly.seesCompat { control.flags |= MemoryControl.Flags.watchesCompat }
    state.withLock { $0.control = control }
    startTime = (Clock.monotonic.now, Clock.wall.now)
    if watchesCompat { watchCompat() }
    try change { $0.control.paused = MemoryControl.Recording.on }
    KernelTypes.running.forget()
    try startReading(events.fileDescriptor)
  }

  private static func release() throws(EBPFError) -> String {
    do throws(Errno) { return try MachineNames.current().release } catch {
      throw EBPFError(
        .system, "uname failed",
        systemCall: .init(call: "uname", errno: error.rawValue, name: error.name))
    }
  }

  private static func subject(_ configuration: MemoryTracerConfiguration) -> String {
    let ids = configuration.filter.processes.sorted().map(String.init)
    return ids.isEmpty ? "any process" : "process \(ids.joined(separator: ", "))"
  }

  private static func collector(
    of events: RawMap, siteLimit: Int, kernel: any KernelInterface
  ) throws(EBPFError) -> MemoryCollector {
    do throws(Errno) {
      return MemoryCollector(
        ring: try RingBufferMemory(
          map: events.fileDescriptor, size: Int(events.information.maxEntries), kernel: kernel),
        siteLimit: siteLimit)
    } catch {
      throw EBPFError(
        .system, "cannot map the tracer's ring buffer",
        systemCall: .init(call: "mmap", errno: error.rawValue, name: error.name))
    }
  }
}

// MARK: - Reading

extension MemorySession {
  private func startReading(_ ring: Int32) throws(EBPFError) {
    do throws(Errno) {
      // The handler must not keep the session alive: the session owns the poller.
      _ = try poller.add(ring) { [weak self] in self?.drain() }
      // A short process must be looked at before it ends.
      try poller.start(isUrgent: true)
    } catch {
      throw EBPFError(
        .system, "cannot wait for the tracer's ring buffer",
        systemCall: .init(call: "epoll_ctl", errno: error.rawValue, name: error.name))
    }
  }

  /// Reads what the kernel sent, looks at new processes while they are there, and takes what ended
  /// ones left.
  private func drain() {
    let news = collector.withLock { $0.drain(now: Clock.monotonic.now) }
    let (announced, ended) = (news.announced, news.ended)
    if announced.contains(where: \.isCompat) { watchCompat() }
    for announcement in announced {
      let process = Int32(truncatingIfNeeded: announcement.process.processID)
      // A process that is gone already shows up as unresolved frames, with that reason.
      do throws(EBPFError) { try symbolizer.snapshot(pid: process) } catch { continue }
      guard announcement.isNewProgram, let probes, let number = symbolizer.number(of: process)
      else { continue }
      do throws(EBPFError) { try probes.follow(number) } catch {
        state.withLock { $0.missed.append(error.description) }
      }
    }
    unwinding?.add(announced.map(\.process), rowsFor: news.wanted)
    for process in ended {
      // What cannot be taken now stays in the map, and is read at the end.
      do throws(EBPFError) {
        try state.withLock { (state) throws(EBPFError) in
          // At one moment, so that it is always in one of the two.
          guard let record = try processes.take(process) else { return }
          state.ended.add(process, record.figures)
        }
      } catch { continue }
    }
  }

  /// Everything that was recorded, detached and complete.
  struct Readings {
    var received: MemoryCollector.Received
    var sites: [MemorySiteKey: MemoryAmount]
    var blocks: [(key: MemoryAddress, value: MemoryBlockRecord)]
    var processes: [ProcessIdentity: MemoryProcessFigures]
    /// Of those, the ones whose end was not told.
    var running: Set<ProcessIdentity>
    /// The processes that ended and are not among those.
    var others: EndedProcessTotals
    var counts: MemoryCounters
    var endTime: UInt64
  }

  /// Detaches and reads what is left.
  func readAll() throws(EBPFError) -> Readings {
    // At one moment for all probes, which are taken away one after the other.
    try change { $0.control.paused = MemoryControl.Recording.idle }
    let end = Clock.monotonic.now
    probes?.detach()
    costly.end()
    poller.stop()
    return try readings(at: end)
  }

  /// Everything so far. While recording goes on the tables are read one after the other, so that a
  /// block may be among those in use and not yet in the sums, or the other way round.
  func readings(at end: UInt64) throws(EBPFError) -> Readings {
    let object = attached.object
    let blocks =
      probes == nil
      ? []
      : try object.map("live", key: MemoryAddress.self, value: MemoryBlockRecord.self).entries()
    let counted = try object.map("sites", key: MemorySiteKey.self, value: MemoryAmount.self)
      .entries()
    // The tables before the ring: a stack is sent before it is counted.
    drain()
    let received = collector.withLock { $0.result }
    var sites = received.overflow
    for (key, amount) in counted { sites[key, default: MemoryAmount()] += amount }
    let present = try processes.entries()
    let ended = state.withLock { $0.ended }
    var all = ended.kept
    for (key, record) in present { all[key] = record.figures }
    return Readings(
      received: received, sites: sites, blocks: blocks, processes: all,
      running: Set(present.map(\.key)).subtracting(ended.kept.keys), others: ended.others,
      counts: try counts(), endTime: end)
  }

  /// The kernel's counters, summed over CPUs, and what found no room here.
  func counts() throws(EBPFError) -> MemoryCounters {
    var counts = MemoryCounters(summing: try counters.values(for: 0) ?? [])
    let lost = collector.withLock { $0.lost }
    counts.sitesLost &+= lost.sites
    counts.stacksLost &+= lost.stacks
    return counts
  }

  /// The hooks in use.
  var hooks: [TracerHook] {
    var hooks = growthHooks
    if let compat = costly.compat { hooks.append(compat) }
    if var hook = probes?.hook {
      hook.refused += [sourceRefusal].compactMap(\.self)
      let missed = state.withLock { $0.missed }
      hook.refused += missed.map { TracerHook.Refusal(hook: "a later program", why: $0) }
      hooks.insert(hook, at: 0)
    }
    return hooks
  }

  /// Records of the ring that were not what they should be.
  var malformedRecords: UInt64 { collector.withLock { $0.malformed } }
}

// MARK: - Requests

extension MemorySession {
  /// Switches recording off and on; blocks that are freed meanwhile still leave the list.
  func setPaused(_ isPaused: Bool) throws(EBPFError) {
    try change { state in
      state.isPaused = isPaused
      state.setRecording()
    }
  }

  /// Leaves out what costs too much. While suspended, what runs for every page fault and every system
  /// call of the machine is not attached; the allocator's probes are, for the sake of its blocks.
  func economize(_ economy: TracerEconomy) throws(EBPFError) {
    self.economy.apply(economy)
    try change { state in
      let wasSuspended = state.isSuspended
      state.isSuspended = economy.isSuspended
      state.setRecording()
      typealias Flags = MemoryControl.Flags
      if configuration.takesStacks && economy.takesStacks {
        state.control.flags &= ~Flags.noStacks
      } else {
        state.control.flags |= Flags.noStacks
      }
      if economy.sampling > 1 { state.control.flags |= Flags.picks }
      if wasSuspended && !economy.isSuspended { state.control.generation &+= 1 }
    }
    try costly.setSuspended(economy.isSuspended)
  }

  /// Sees the mappings of 32-bit programs from now on; what keeps it from that is in ``hooks``.
  private func watchCompat() {
    costly.watchCompat { () throws(EBPFError) in
      try change { $0.control.flags |= MemoryControl.Flags.watchesCompat }
    }
  }

  /// Makes the stacks of a process walkable now.
  func prepare(_ process: Int32) throws(EBPFError) { try unwinding?.prepare([process]) }

  /// How walks by unwind table ended; nil where frame pointers are followed.
  func walks(_ counts: MemoryCounters) -> StackWalks? { unwinding == nil ? nil : counts.walks }

  /// Changes whose events are recorded.
  func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    // Before the filter changes, so that no block is freed unseen in between.
    try change { $0.control.flags |= MemoryControl.Flags.keepTrack }
    if CompatPrograms.run(among: filter.processes) { watchCompat() }
    try self.filter.change(to: filter, in: attached.object)
  }

  private func change(_ body: (inout State) -> Void) throws(EBPFError) {
    // At one moment, so that of two changes the later one is in force.
    try state.withLock { (state) throws(EBPFError) in
      body(&state)
      try control.update(0, state.control)
    }
  }

  /// Started processes that should have been followed and are not.
  func unfollowed() throws(EBPFError) -> UInt64 { try filter.lists.lost() }

  /// What the tracer costs.
  func overhead() throws(EBPFError) -> TracerOverhead {
    let latencies = collector.withLock { $0.result.latencies }
    return try meter.read(attached.object, filter.lists, latencies: latencies)
  }

  func kernelNanoseconds() throws(EBPFError) -> UInt64? {
    try meter.kernelNanoseconds(attached.object, filter.lists)
  }

  /// What the allocator did so far.
  func totals() throws(EBPFError) -> MemoryTotals {
    MemoryAssembler(
      configuration, try readings(at: Clock.monotonic.now), symbolizer: symbolizer,
      baseline: baseline, usesStaticProbes: usesStaticProbes
    ).totals()
  }

  /// Gives everything back to the kernel.
  func unload() {
    probes?.detach()
    costly.end()
    poller.stop()
    attached.object.unload()
  }
}

extension MemoryTracerConfiguration {
  /// The processes whose own copies of the allocator are probed; empty when others may join them, so
  /// that the file is probed for everybody and the kernel side tells whom to record.
  var probedProcesses: [Int32] {
    filter.followsChildren ? [] : filter.processes.sorted()
  }
}
