internal import EBPF
internal import EBPFSystem
internal import Symbolization
internal import Synchronization

/// A CPU profiler between start and stop: its object in the kernel, its links, its reader.
///
/// Everything is given back when the last reference goes.
final class ProfilerSession: Sendable {
  let configuration: CPUProfilerConfiguration
  let symbolizer: Symbolizer
  let hooks: [TracerHook]
  let processors: Int
  /// When the profiler was asked to start, before anything was loaded: the monotonic clock.
  let requestTime: UInt64
  /// When sampling was switched on, in nanoseconds of the monotonic and of the wall clock.
  let startTime: (monotonic: UInt64, wall: UInt64)

  private let object: LoadedObject
  /// Nil where frame pointers are followed.
  private let unwinding: UnwindBuilder?
  private let links: Mutex<Attached?>
  private let collector: Mutex<SampleCollector>
  private let poller: Poller
  private let counters: PerCPUMap<UInt32, ProfilerCounters>
  private let control: MappedArray<ProfilerControl>
  private let meter: OverheadMeter

  /// What processes tell of themselves.
  let contexts: ContextWatch

  private let filter: ProcessFilter
  private let economy: EconomyMap

  private struct Attached: ~Copyable {
    var sampling: Link
    /// Why no samples are taken: on request, or to save.
    var isPaused = false
    var isSuspended = false

    /// Switches sampling off where either wants it, and on where neither does.
    mutating func set(paused: Bool, suspended: Bool) throws(EBPFError) {
      let wasOff = isPaused || isSuspended
      if paused || suspended {
        if !wasOff { try sampling.pause() }
      } else if wasOff {
        try sampling.resume()
      }
      isPaused = paused
      isSuspended = suspended
    }
  }

  init(
    _ configuration: CPUProfilerConfiguration, symbolizer: Symbolizer, lists: ProcessLists?,
    kernel: any KernelInterface
  ) throws(EBPFError) {
    self.symbolizer = symbolizer
    requestTime = Clock.monotonic.now
    self.configuration = configuration
    let meter = OverheadMeter(kernel: kernel)
    // Without /sys loading fails too, and says more about what is missing.
    var processors = 1
    do throws(EBPFError) { processors = try ProfilerSession.processors() } catch { processors = 1 }
    // The profiler leaves itself out on its own: see ``configure(_:includesSelf:sampleLimit:)``.
    filter = try ProcessFilter(
      configuration.filter, excluding: nil, lists: lists, kernel: kernel)
    let (object, sampler, stacks) = try ProfilerSession.load(
      configuration, processors, filter.lists, kernel)
    processors = try ProfilerSession.processors()
    try filter.begin(object)
    try ProfilerSession.configure(
      object, includesSelf: configuration.includesSelf, sampleLimit: configuration.sampleLimit)
    // Processes that are known are walked by table from their first sample on.
    let isKnown = !configuration.filter.processes.isEmpty
    let early =
      isKnown ? try ProfilerSession.unwinding(object, sampler, symbolizer) : nil
    try early?.prepare(configuration.filter.processes)
    contexts = try ContextWatch(object, symbolizer: symbolizer)
    try contexts.prepare(configuration.filter.processes)
    startTime = (Clock.monotonic.now, Clock.wall.now)
    let sampling = try object.program(sampler).attach(
      .perfEvent(.cpuClock(hz: UInt64(configuration.frequency))))

    // What only reads comes after: the ring keeps what is sent meanwhile.
    self.processors = processors
    self.meter = meter
    self.object = object
    let events = try object.map("events")
    collector = Mutex(try ProfilerSession.collector(of: events, kernel: kernel))
    poller = try ProfilerSession.poller()
    unwinding = isKnown ? early : try ProfilerSession.unwinding(object, sampler, symbolizer)
    counters = try PerCPUMap(try object.map("counters"))
    control = try MappedArray(try object.map("control"), writable: false)
    economy = try EconomyMap(object)
    try filter.didAttach()
    hooks =
      ProfilerSession.hooks(
        sampling.mechanism.description, sampling.refusals.map { ("\($0.mechanism)", $0.reason) })
      + filter.lists.hooks + [stacks].compactMap(\.self)
    links = Mutex(Attached(sampling: sampling))
    // They were needed to load; reading them again takes a few milliseconds.
    KernelTypes.running.forget()
    try startReading(events.fileDescriptor)
  }

  /// The reader of a profiler's ring.
  static func collector(
    of events: RawMap, kernel: any KernelInterface
  ) throws(EBPFError) -> SampleCollector {
    do throws(Errno) {
      return SampleCollector(
        ring: try RingBufferMemory(
          map: events.fileDescriptor, size: Int(events.information.maxEntries), kernel: kernel))
    } catch {
      throw EBPFError(
        .system, "cannot map the profiler's ring buffer",
        systemCall: .init(call: "mmap", errno: error.rawValue, name: error.name))
    }
  }

  private static func unwinding(
    _ object: LoadedObject, _ sampler: String, _ symbolizer: Symbolizer
  ) throws(EBPFError) -> UnwindBuilder? {
    guard sampler != Self.sampler else { return nil }
    return try UnwindBuilder(object, symbolizer: symbolizer)
  }

  private static func processors() throws(EBPFError) -> Int {
    do throws(Errno) { return try CPUSet.online().cpus.count } catch {
      throw EBPFError(
        .system, "cannot tell which CPUs are online: \(error.text)",
        context: [.file("/sys/devices/system/cpu/online")],
        systemCall: .init(call: "read", errno: error.rawValue, name: error.name))
    }
  }

  /// What waits for the ring.
  static func poller() throws(EBPFError) -> Poller {
    do throws(Errno) { return try Poller() } catch {
      throw EBPFError(
        .system, "cannot prepare to wait for samples",
        systemCall: .init(call: "epoll_create1", errno: error.rawValue, name: error.name))
    }
  }

  private static func hooks(
    _ mechanism: String, _ refusals: [(hook: String, why: String)]
  ) -> [TracerHook] {
    [
      TracerHook(
        need: "sampling", used: "cpu-clock by \(mechanism)",
        refused: refusals.map { TracerHook.Refusal(hook: $0.hook, why: $0.why) })
    ]
  }
}

// MARK: - Loading

extension ProfilerSession {
  /// The programs that take a sample; one of them is loaded.
  private static let sampler = "profile_sample"
  private static let walkingSampler = "profile_walk"
  private static let comparingSampler = "profile_compare"

  /// Loads what the configuration needs and no more: each part costs some of the time to the first
  /// sample. Returns the program to attach, and how user stacks are taken.
  private static func load(
    _ configuration: CPUProfilerConfiguration, _ processors: Int, _ lists: ProcessLists,
    _ kernel: any KernelInterface
  ) throws(EBPFError) -> (LoadedObject, sampler: String, stacks: TracerHook?) {
    guard configuration.stacks != .kernel else {
      return (try load(configuration, processors, lists, kernel, sampler: sampler), sampler, nil)
    }
    if configuration.comparesUnwinding {
      return (
        try load(configuration, processors, lists, kernel, sampler: comparingSampler),
        comparingSampler,
        TracerHook(need: "user stacks", used: "unwind tables and frame pointers")
      )
    }
    let framePointers = "frame pointers"
    let tables = "unwind tables (.eh_frame)"
    var why = "turned off"
    if configuration.unwinding == .automatic {
      #if arch(x86_64)
        do throws(EBPFError) {
          return (
            try load(configuration, processors, lists, kernel, sampler: walkingSampler),
            walkingSampler,
            TracerHook(need: "user stacks", used: tables)
          )
        } catch {
          guard error.code == .rejected || error.code == .unsupported else { throw error }
          why = error.message
        }
      #else
        why = "the tables are there for x86-64 only"
      #endif
    }
    return (
      try load(configuration, processors, lists, kernel, sampler: sampler), sampler,
      TracerHook(
        need: "user stacks", used: framePointers,
        refused: [TracerHook.Refusal(hook: tables, why: why)])
    )
  }

  private static func load(
    _ configuration: CPUProfilerConfiguration, _ processors: Int, _ lists: ProcessLists,
    _ kernel: any KernelInterface, sampler: String
  ) throws(EBPFError) -> LoadedObject {
    var object = try ObjectFile(parsing: EmbeddedObject.cpuProfiler, name: "cpu_profiler")
    try object.setVariable("profiler_flags", to: flags(configuration))
    var options = LoadOptions()
    lists.prepare(&options)
    options.programs = [sampler]
    options.maxEntries["events"] = configuration.ringBytes(processors: processors)
    if sampler != Self.sampler {
      options.maxEntries["unwind_rows"] = configuration.unwindRows
    } else {
      for map in ["unwind_rows", "unwind_mappings", "unwind_processes"] {
        options.maxEntries[map] = 1
      }
    }
    return try LoadedObject(object, options: options, kernel: kernel)
  }

  private static func flags(_ configuration: CPUProfilerConfiguration) -> UInt32 {
    var flags: UInt32 = 0
    if configuration.stacks == .kernel { flags |= ProfilerFlags.noUserStacks }
    if configuration.stacks == .user { flags |= ProfilerFlags.noKernelStacks }
    if configuration.separatesThreads { flags |= ProfilerFlags.perThread }
    if configuration.includesIdle { flags |= ProfilerFlags.includeIdle }
    return flags
  }

  /// Writes the control before anything is attached.
  static func configure(
    _ object: LoadedObject, includesSelf: Bool, sampleLimit: UInt64
  ) throws(EBPFError) {
    var control = ProfilerControl()
    control.sampleLimit = sampleLimit
    if !includesSelf {
      control.excludedProcess = UInt32(try ProcessNumbers().outer(CurrentProcess.id))
      control.excludedImage = Symbolizer.Program.currentImage()
    }
    do throws(Errno) {
      let limit = try SystemFile.integer("/proc/sys/kernel/perf_event_max_stack")
      control.stackLimit = UInt32(clamping: limit)
    } catch { control.stackLimit = 0 }  // The program then assumes the kernel's default.

    try Map<UInt32, ProfilerControl>(try object.map("control")).update(0, control)
  }
}

// MARK: - Reading

extension ProfilerSession {
  private func startReading(_ ring: Int32) throws(EBPFError) {
    do throws(Errno) {
      // The handler must not keep the session alive: the session owns the poller.
      _ = try poller.add(ring) { [weak self] in self?.drain() }
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
    contexts.look(at: announced)
  }

  /// Makes the stacks of a process walkable now.
  func prepare(_ process: Int32) throws(EBPFError) { try unwinding?.prepare([process]) }

  /// Switches sampling off and on; the program stays attached.
  func setPaused(_ isPaused: Bool) throws(EBPFError) {
    try change { (attached) throws(EBPFError) in
      try attached.set(paused: isPaused, suspended: attached.isSuspended)
    }
  }

  /// Leaves out what costs too much.
  func economize(_ economy: TracerEconomy) throws(EBPFError) {
    self.economy.apply(economy)
    try change { (attached) throws(EBPFError) in
      try attached.set(paused: attached.isPaused, suspended: economy.isSuspended)
    }
  }

  /// Nothing when it is detached already.
  private func change(
    _ body: (inout Attached) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    try links.withLock { (links) throws(EBPFError) in
      guard var attached = links.take() else { return }
      do throws(EBPFError) { try body(&attached) } catch {
        links = consume attached
        throw error
      }
      links = consume attached
    }
  }

  /// Changes whose samples are recorded.
  func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    try self.filter.change(to: filter, in: object)
  }

  /// The kernel's counters, summed over CPUs.
  func counts() throws(EBPFError) -> ProfilerCounters {
    ProfilerCounters(summing: try counters.values(for: 0) ?? [])
  }

  /// Samples counted towards the limit.
  var limitedSamples: UInt64 { control[0].samples }

  /// What the profiler costs.
  func overhead() throws(EBPFError) -> TracerOverhead {
    let latencies = collector.withLock { $0.result.latencies }
    return try meter.read(object, filter.lists, latencies: latencies)
  }

  func kernelNanoseconds() throws(EBPFError) -> UInt64? {
    try meter.kernelNanoseconds(object, filter.lists)
  }

  /// Detaches, reads what is left, and returns every count with the stacks it refers to.
  func finish() throws(EBPFError) -> (
    samples: [SampleIdentity: UInt64], received: SampleCollector.Received
  ) {
    var attached = links.withLock { links in links.take() }
    if let attached = attached.take() {
      try attached.sampling.detach()
    }
    poller.stop()
    return try countsSoFar()
  }

  /// Every count so far, with the stacks they refer to.
  func countsSoFar() throws(EBPFError) -> (
    samples: [SampleIdentity: UInt64], received: SampleCollector.Received
  ) {
    // The counts before the ring: a stack is sent before it is counted.
    let entries = try Map<ProfilerKey, UInt64>(try object.map("counts")).entries()
    drain()
    let received = collector.withLock { $0.result }
    var samples = received.linked
    for (key, count) in received.overflow { samples[SampleIdentity(key: key), default: 0] += count }
    for entry in entries { samples[SampleIdentity(key: entry.key), default: 0] += entry.value }
    return (samples, received)
  }

  /// How walks by unwind table ended; nil where frame pointers are followed.
  func walks() throws(EBPFError) -> StackWalks? { unwinding == nil ? nil : try counts().walks }

  /// Started processes that should have been followed and are not.
  func unfollowed() throws(EBPFError) -> UInt64 { try filter.lists.lost() }

  /// Records that were not what they should be.
  var malformedRecords: UInt64 { collector.withLock { $0.malformed } }

  /// Gives everything back to the kernel.
  func unload() { object.unload() }
}
