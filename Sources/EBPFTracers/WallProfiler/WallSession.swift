internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Synchronization

/// A wall profiler between start and stop: its object in the kernel, its links, its reader.
///
/// Everything is given back when the last reference goes.
final class WallSession: TracerSession {
  let configuration: WallProfilerConfiguration
  let symbolizer = Symbolizer.ofTracers()
  let hooks: [TracerHook]
  /// When the profiler was asked to start, before anything was loaded: the monotonic clock.
  let requestTime: UInt64
  /// When recorded time began to pass, in nanoseconds of the monotonic and of the wall clock.
  let startTime: (monotonic: UInt64, wall: UInt64)

  let object: LoadedObject
  private let links: Links
  private let lister: String
  private let unwinding: UnwindBuilder?
  private let collector: Mutex<SampleCollector>
  private let poller: Poller
  private let counters: PerCPUMap<UInt32, WallCounters>
  private let stackCounters: PerCPUMap<UInt32, ProfilerCounters>
  private let meter: OverheadMeter
  private let filter: ProcessFilter
  private let economy: EconomyMap
  private let state: Mutex<State>
  private static let sampling = "sampling"
  /// Looking at one takes some milliseconds; the others are looked at when they are seen.
  private static let processesMetFirst = 16

  /// What stands still, and why; and what was found at the end.
  private struct State: ~Copyable {
    let clock: MappedArray<UInt64>
    var isPaused = false
    var isSuspended = false
    var isPreparing = false
    var closed: UInt64 = 0

    var isOff: Bool { isPaused || isSuspended || isPreparing }
  }

  init(_ configuration: WallProfilerConfiguration, kernel: any KernelInterface) throws(EBPFError) {
    requestTime = Clock.monotonic.now
    self.configuration = configuration
    meter = OverheadMeter(kernel: kernel)
    filter = try ProcessFilter(
      configuration.filter, excluding: configuration.includesSelf ? nil : CurrentProcess.id,
      lists: nil, kernel: kernel)
    let hooks = try WallHooks.attach(configuration, filter: filter, kernel: kernel) {
      (object) throws(EBPFError) in
      try WallSession.configure(object, configuration)
    }
    object = hooks.attached.object
    links = hooks.attached.links
    lister = hooks.lister
    economy = try EconomyMap(object)
    counters = try PerCPUMap(try object.map("wall_counters"))
    stackCounters = try PerCPUMap(try object.map("counters"))
    let events = try object.map("events")
    collector = Mutex(try ProfilerSession.collector(of: events, kernel: kernel))
    poller = try ProfilerSession.poller()
    unwinding = hooks.walks ? try UnwindBuilder(object, symbolizer: symbolizer) : nil
    let clock = try MappedArray<UInt64>(try object.map("wall_clock"))
    try links.attach(try object.program(lister), to: .iterator(), as: lister)
    try WallSession.meet(object, hooks.meeter, symbolizer, unwinding)
    var reported = hooks.hooks
    if let sampler = hooks.sampler {
      let link = try object.program(sampler).attach(
        .perfEvent(.cpuClock(hz: UInt64(configuration.frequency))))
      reported.insert(WallSession.report(link), at: 1)
      try links.insert(link, as: WallSession.sampling)
    }
    self.hooks = reported
    // From here on time passes: 1 is the first moment.
    startTime = (Clock.monotonic.now, Clock.wall.now)
    clock[0] = startTime.monotonic &- 1
    state = Mutex(State(clock: clock))
    // They were needed to load; reading them again takes a few milliseconds.
    KernelTypes.running.forget()
    try startReading(events.fileDescriptor)
  }

  /// Fills the maps: time stands still until everything is attached.
  private static func configure(
    _ object: LoadedObject, _ configuration: WallProfilerConfiguration
  ) throws(EBPFError) {
    try ProfilerSession.configure(
      object, includesSelf: configuration.includesSelf, sampleLimit: 0)
    try Map<UInt32, UInt64>(try object.map("wall_clock")).update(0, WallClock.stopped | 1)
  }

  /// Makes a record for each thread that is there. Where only some are wanted their processes are looked
  /// at before time begins to pass, so that their first stacks can be walked.
  private static func meet(
    _ object: LoadedObject, _ meeter: String, _ symbolizer: Symbolizer, _ unwinding: UnwindBuilder?
  ) throws(EBPFError) {
    let link = try object.program(meeter).attach(.iterator())
    let bytes = try link.readIterator()
    try link.detach()
    let size = MemoryLayout<ProcessIdentity>.stride
    for index in 0..<min(bytes.count / size, processesMetFirst) {
      guard
        let process = BitwiseBytes.load(
          ProcessIdentity.self, from: bytes.span.rawBytes, at: index * size)
      else { continue }
      // One that cannot be looked at shows up as unresolved frames, with the reason.
      do throws(EBPFError) {
        try symbolizer.snapshot(pid: Int32(truncatingIfNeeded: process.processID))
      } catch { continue }
      unwinding?.build(process)
    }
  }

  private static func report(_ link: borrowing Link) -> TracerHook {
    TracerHook(
      need: "sampling", used: "cpu-clock by \(link.mechanism)",
      refused: link.refusals.map { TracerHook.Refusal(hook: "\($0.mechanism)", why: $0.reason) })
  }
}

// MARK: - Reading

extension WallSession {
  private func startReading(_ ring: Int32) throws(EBPFError) {
    do throws(Errno) {
      // The handler must not keep the session alive: the session owns the poller.
      if configuration.readsRing { _ = try poller.add(ring) { [weak self] in self?.drain() } }
      // A short process must be looked at before it ends.
      try poller.start(isUrgent: true)
    } catch {
      throw EBPFError(
        .system, "cannot wait for the profiler's ring buffer",
        systemCall: .init(call: "epoll_ctl", errno: error.rawValue, name: error.name))
    }
  }

  /// Reads what the kernel sent, and looks at new processes while they are there.
  private func drain() {
    let (announced, wanted) = collector.withLock { $0.drain(now: Clock.monotonic.now) }
    // The newest first: the others have lived longer, or are gone already.
    for process in announced {
      // A process that is gone already shows up as unresolved frames, with that reason.
      do throws(EBPFError) {
        try symbolizer.snapshot(pid: Int32(truncatingIfNeeded: process.processID))
      } catch { continue }
    }
    unwinding?.add(announced, rowsFor: wanted)
  }

  var recordingSince: UInt64 { startTime.monotonic }

  /// The kernel's counters, summed over CPUs.
  func counts() throws(EBPFError) -> (wall: WallCounters, stacks: ProfilerCounters) {
    (
      WallCounters(summing: try counters.values(for: 0) ?? []),
      ProfilerCounters(summing: try stackCounters.values(for: 0) ?? [])
    )
  }

  func statistics() throws(EBPFError) -> TracerStatistics {
    let (wall, samples) = try counts()
    var statistics = TracerStatistics()
    statistics.recorded =
      wall.recorded + wall.overflowed + state.withLock { $0.closed }
      + samples.recorded + samples.overflowed
    statistics.dropped =
      wall.dropped + wall.untracked + wall.threadsLost + wall.recordsLost + samples.dropped
    statistics.malformed = collector.withLock { $0.malformed }
    statistics.unfollowed = try filter.lists.lost()
    statistics.sampledOut = samples.sampledOut
    statistics.unwanted =
      wall.unwanted + samples.excluded + samples.idle + samples.filtered + samples.sampledOut
    statistics.seen = statistics.recorded + statistics.dropped + statistics.unwanted
    statistics.truncated =
      samples.userStacksCut + samples.kernelStacksCut + samples.userStacksLost
      + samples.kernelStacksLost
    if wall.firstEvent > requestTime {
      statistics.firstEventNanoseconds = wall.firstEvent - requestTime
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

  /// How walks by unwind table ended; nil where frame pointers are followed.
  func walks() throws(EBPFError) -> StackWalks? {
    unwinding == nil ? nil : try counts().stacks.walks
  }
}

// MARK: - Requests

extension WallSession {
  /// Stops time and starts it again; everything stays attached, so that it is known where each thread
  /// is when time goes on.
  func setPaused(_ isPaused: Bool) throws(EBPFError) {
    try change { $0.isPaused = isPaused }
  }

  /// Leaves out what costs too much.
  func economize(_ economy: TracerEconomy) throws(EBPFError) {
    self.economy.apply(economy)
    try change { $0.isSuspended = economy.isSuspended }
  }

  /// Makes the stacks of a process walkable now. That it is held meanwhile is no wait of its own.
  func prepare(_ process: Int32) throws(EBPFError) {
    guard let unwinding else { return }
    try change { $0.isPreparing = true }
    do throws(EBPFError) { try unwinding.prepare([process]) } catch {
      try change { $0.isPreparing = false }
      throw error
    }
    try change { $0.isPreparing = false }
  }

  private func change(_ body: (inout State) -> Void) throws(EBPFError) {
    try state.withLock { (state) throws(EBPFError) in
      let wasOff = state.isOff
      body(&state)
      let isOff = state.isOff
      guard isOff != wasOff else { return }
      let isSampling = links.names.contains(WallSession.sampling)
      if isOff, isSampling { try setSampling(false) }
      let word = state.clock[0]
      state.clock[0] =
        isOff
        ? WallSession.recordedTime(word) | WallClock.stopped
        : Clock.monotonic.now &- (word & ~WallClock.stopped)
      if !isOff, isSampling { try setSampling(true) }
    }
  }

  private func setSampling(_ isOn: Bool) throws(EBPFError) {
    try links.withLink(WallSession.sampling) { (link) throws(EBPFError) in
      if isOn { try link.resume() } else { try link.pause() }
    }
  }

  private static func recordedTime(_ word: UInt64) -> UInt64 {
    word & WallClock.stopped != 0 ? word & ~WallClock.stopped : Clock.monotonic.now &- word
  }

  /// Changes whose time is recorded, from each thread's next switch on.
  func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    try self.filter.change(to: filter, in: object)
  }

  func finish(recordedNanoseconds: UInt64) throws(EBPFError) -> WallProfile {
    let end = state.withLock { state in
      let end = WallSession.recordedTime(state.clock[0])
      state.clock[0] = end | WallClock.stopped
      return end
    }
    for name in links.names where name != lister { try links.detach(name) }
    // From here on nothing changes a record.
    do throws(Errno) { try GracePeriod.wait() } catch {
      throw EBPFError(
        .system, "cannot wait until no program counts any more",
        systemCall: .init(call: "membarrier", errno: error.rawValue, name: error.name))
    }
    poller.stop()
    let received = try received(at: end)
    state.withLock { $0.closed = received.wall.closed }
    var statistics = try statistics()
    statistics.recordedNanoseconds = end - 1
    return try WallAssembler(session: self, received: received).assemble(statistics)
  }

  /// Everything so far. What threads do meanwhile may be in some figures and not in others.
  func snapshot(statistics: TracerStatistics) throws(EBPFError) -> WallProfile {
    let end = state.withLock { WallSession.recordedTime($0.clock[0]) }
    return try WallAssembler(session: self, received: try received(at: end)).assemble(statistics)
  }

  /// What was counted up to recorded time `end`, with what is open then.
  private func received(at end: UInt64) throws(EBPFError) -> SampleCollector.Received {
    let living = try links.withLink(lister) { (link) throws(EBPFError) in
      try link.readIterator(limit: 1 << 30)
    }
    let waits = try Map<ProfilerKey, WaitTotal>(try object.map("waits")).entries()
    let wakes = try Map<WakeKey, WaitTotal>(try object.map("wakes")).entries()
    let samples = try Map<ProfilerKey, UInt64>(try object.map("counts")).entries()
    // The tables before the ring: a stack is sent before it is counted.
    drain()
    var received = collector.withLock { $0.result }
    received.wall.addLiving(living, end: end, configuration: configuration)
    for entry in waits { received.wall.add(entry.key, entry.value) }
    for entry in wakes { received.wall.add(entry.key, entry.value) }
    for entry in samples { received.overflow[entry.key, default: 0] += entry.value }
    return received
  }

  /// Gives everything back to the kernel.
  func unload() { object.unload() }
}
