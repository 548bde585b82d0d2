internal import EBPF
internal import EBPFSystem
internal import Synchronization

/// A process tracer between start and stop.
final class ProcessSession: TracerSession {
  /// When the tracer was asked to start, and when it had: the monotonic clock.
  private let requestTime: UInt64
  let recordingSince: UInt64

  private let configuration: ProcessTracerConfiguration
  private let attached: AttachedHooks
  private let meter: OverheadMeter
  private let economy: EconomyMap
  private let filter: ProcessFilter
  private let control: MappedArray<ProcessControl>
  private let counters: PerCPUMap<UInt32, ProcessCounters>
  private let reader: Mutex<ProcessReader>
  /// Why nothing is recorded: on request, or to save.
  private let halts = Mutex((isPaused: false, isSuspended: false))

  init(
    _ configuration: ProcessTracerConfiguration, kernel: any KernelInterface
  ) throws(EBPFError) {
    requestTime = Clock.monotonic.now
    self.configuration = configuration
    meter = OverheadMeter(kernel: kernel, countsProgramTime: configuration.measuresProgramTime)
    filter = try ProcessFilter(
      configuration.filter, excluding: configuration.includesSelf ? nil : CurrentProcess.id,
      lists: nil, kernel: kernel)
    attached = try ProcessSession.attach(configuration, filter, kernel)
    let object = attached.object
    economy = try EconomyMap(object)
    control = try MappedArray(try object.map("control"))
    counters = try PerCPUMap(try object.map("counters"))
    recordingSince = Clock.monotonic.now
    // Where other namespaces' processes cannot be looked up, none of them is gone.
    let seesAll = ProcessNumbers.seesAllProcesses
    let ledger = ProcessLedger(
      since: recordingSince, limit: configuration.programLimit,
      keepsArguments: configuration.keepsArguments,
      isThere: { !seesAll || FileSystem.exists("/proc/\($0)") })
    reader = Mutex(try ProcessReader(try object.map("events"), ledger))
    KernelTypes.running.forget()
  }

  // MARK: - Loading

  /// A BTF tracepoint, a raw one, one of tracefs.
  private static let plans = [
    HookPlan(need: "started programs", rungs: rungs("process_exec")),
    HookPlan(need: "ended processes", rungs: rungs("process_exit")),
  ]

  private static func rungs(_ program: String) -> [[String]] {
    ["typed", "raw", "perf"].map { ["\(program)_\($0)"] }
  }

  private static func attach(
    _ configuration: ProcessTracerConfiguration, _ filter: ProcessFilter,
    _ kernel: any KernelInterface
  ) throws(EBPFError) -> AttachedHooks {
    guard let events = UInt32(exactly: configuration.eventBufferBytes), events > 0 else {
      throw EBPFError(
        .invalidArgument, "a buffer cannot be \(configuration.eventBufferBytes) bytes long")
    }
    var options = LoadOptions()
    options.maxEntries["events"] = events
    return try AttachedHooks(
      try ObjectFile(parsing: EmbeddedObject.processTracer, name: "process_tracer"),
      plans: plans, options: options, filter: filter, kernel: kernel)
  }

  // MARK: - Requests

  func apply(_ filter: TracerFilter) throws(EBPFError) {
    try self.filter.change(to: filter, in: attached.object)
  }

  func setPaused(_ isPaused: Bool) {
    halts.withLock { halts in
      halts.isPaused = isPaused
      setHalted(halts.isPaused || halts.isSuspended)
    }
  }

  /// Nothing is detached: it would be followed by nobody then which process has ended, and processes
  /// are few.
  func economize(_ economy: TracerEconomy) {
    self.economy.apply(economy)
    halts.withLock { halts in
      halts.isSuspended = economy.isSuspended
      setHalted(halts.isPaused || halts.isSuspended)
    }
  }

  private func setHalted(_ isHalted: Bool) {
    let wasHalted = control[0].paused != 0
    control[0].paused = isHalted ? 1 : 0
    if wasHalted, !isHalted { reader.withLock { $0.forgetGone() } }
  }

  // MARK: - Reading

  func readEvents(limit: Int, _ body: (ProcessEvent) -> Void) -> Int {
    reader.withLock { $0.drain(limit: limit, body) }
  }

  func statistics() throws(EBPFError) -> TracerStatistics {
    let counts = try counts()
    let losses = try losses(counts)
    var statistics = TracerStatistics()
    statistics.dropped = losses.events &+ losses.missedRuns &+ losses.malformed
    statistics.sampledOut = counts.sampledOut
    statistics.unwanted = counts.paused &+ counts.excluded &+ counts.sampledOut
    statistics.recorded = counts.sent - min(counts.sent, losses.malformed)
    statistics.seen = counts.sent &+ counts.lost &+ losses.missedRuns &+ statistics.unwanted
    statistics.truncated = losses.cutPaths &+ losses.cutArguments
    statistics.malformed = losses.malformed
    statistics.unfollowed = losses.unfollowed
    let first = control[0].firstEvent
    if first > requestTime { statistics.firstEventNanoseconds = first - requestTime }
    return statistics
  }

  private func counts() throws(EBPFError) -> ProcessCounters {
    ProcessCounters(summing: try counters.values(for: 0) ?? [])
  }

  private func losses(_ counts: ProcessCounters) throws(EBPFError) -> ProcessLosses {
    var losses = ProcessLosses()
    losses.events = counts.lost
    losses.cutPaths = counts.pathsCut
    losses.cutArguments = counts.argumentsCut
    losses.unreadArguments = counts.argumentsUnread
    losses.unfollowed = try filter.lists.lost()
    for program in attached.object.programs {
      losses.missedRuns &+= try program.information().recursionMisses
    }
    let read = reader.withLock { ($0.malformed, $0.ledger.untracked, $0.ledger.unended) }
    (losses.malformed, losses.untracked, losses.unended) = read
    return losses
  }

  /// What runs and what was lost so far.
  func recording(_ statistics: TracerStatistics) throws(EBPFError) -> ProcessRecording {
    var recording = ProcessRecording()
    recording.running = reader.withLock { $0.ledger.programs }
    recording.statistics = statistics
    recording.losses = try losses(try counts())
    recording.hooks = attached.hooks
    return recording
  }

  func finish(recordedNanoseconds: UInt64) throws(EBPFError) -> ProcessRecording {
    attached.links.detachAll()
    var unread: [ProcessEvent] = []
    while readEvents(limit: .max, { unread.append($0) }) > 0 {}
    var statistics = try statistics()
    statistics.recordedNanoseconds = recordedNanoseconds
    var recording = try recording(statistics)
    recording.unreadEvents = unread
    recording.overhead = try overhead()
    return recording
  }

  func overhead() throws(EBPFError) -> TracerOverhead {
    try meter.read(attached.object, filter.lists, latencies: reader.withLock { $0.latencies })
  }

  func kernelNanoseconds() throws(EBPFError) -> UInt64? {
    try meter.kernelNanoseconds(attached.object, filter.lists)
  }

  /// Gives everything back to the kernel.
  func unload() {
    attached.links.detachAll()
    attached.object.unload()
  }
}
