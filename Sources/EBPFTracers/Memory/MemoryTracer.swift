public import EBPF
public import EBPFSystem

/// Shows whose memory grows and where, and, when asked for, every allocation and what was not freed.
///
/// Growth needs Linux 5.8 with BTF, CAP_BPF and CAP_PERFMON (or root), and costs next to nothing.
/// Allocations are seen by probes in the allocator's code, which cost a microsecond or more for each
/// call; before Linux 6.6 the probes need CAP_SYS_ADMIN. All methods may be called from any thread.
///
/// While paused nothing is recorded, but the probes stay, and a block that is freed meanwhile leaves
/// the list of blocks in use; it is counted as ``MemoryTotals/released``. The same holds for blocks of
/// processes that a new filter leaves out.
///
/// ```swift
/// var configuration = MemoryTracerConfiguration()
/// configuration.allocations = .exact
/// configuration.filter.processes = [1234]
/// let tracer = MemoryTracer(configuration)
/// try tracer.start()
/// …
/// let leaks = try tracer.stop().blocks
/// ```
public final class MemoryTracer: Tracer {
  /// What is recorded.
  public let configuration: MemoryTracerConfiguration
  /// The program that the traced process is about to execute, as its command names it.
  private let program: String?
  private let kernel: any KernelInterface
  private let sharing: TracerSharing?
  private let life = TracerLifeCycle<MemorySession>()

  /// Creates a tracer; nothing is loaded before ``start()``.
  ///
  /// - Parameter program: when the processes of the filter have not executed their program yet: which
  ///   one that will be, a path or a name in `PATH`. Its allocator is looked for in its file.
  public init(
    _ configuration: MemoryTracerConfiguration = MemoryTracerConfiguration(),
    program: String? = nil, sharing: TracerSharing? = nil,
    kernel: any KernelInterface = LiveKernel()
  ) {
    self.sharing = sharing
    self.configuration = configuration
    self.program = program
    self.kernel = kernel
  }

  /// Loads, attaches and records from here on.
  public func start() throws(EBPFError) { try start(sharing: nil) }

  func start(sharing lists: ProcessLists?) throws(EBPFError) {
    if case .sampled(let bytes) = configuration.allocations,
      !MemoryTracerConfiguration.sampleBytes.contains(bytes)
    {
      throw EBPFError(
        .invalidArgument, "cannot sample one allocated byte in \(bytes)",
        hint: "choose 1 to \(MemoryTracerConfiguration.sampleBytes.upperBound)")
    }
    try life.start { () throws(EBPFError) in
      let locator = AllocatorLocator(allocator: configuration.allocator)
      return try MemorySession(
        configuration, source: try source(locator), locator: locator,
        watchesCompat: watchesCompat,
        symbolizer: TracerSharing.symbolizer(sharing), lists: lists, kernel: kernel)
    }
  }

  /// Records nothing until ``resume()``.
  public func pause() throws(EBPFError) { try life.pause() }

  /// Records again.
  public func resume() throws(EBPFError) { try life.resume() }

  /// Detaches, names every address and returns what was recorded.
  public func stop() throws(EBPFError) -> MemoryRecording { try life.stop() }

  /// Everything so far, while recording goes on; refused before start and after stop.
  ///
  /// It costs reading the tables of places and of blocks in use from the kernel, a microsecond or two
  /// for each block, and the resident size of each process from /proc; addresses that were named once are not looked up again. The
  /// tables are read one after the other: a block may be among those in use and not yet in the sums,
  /// or the other way round.
  public func snapshot() throws(EBPFError) -> MemoryRecording {
    let statistics = try life.statistics()
    return try life.withSession("look at") { (session) throws(EBPFError) in
      try session.snapshot(statistics: statistics)
    }
  }

  /// What was recorded and lost so far; all zero before start and after stop.
  public func statistics() throws(EBPFError) -> TracerStatistics { try life.statistics() }

  /// What the tracer has cost so far; refused before start and after stop.
  public func overhead() throws(EBPFError) -> TracerOverhead { try life.overhead() }

  /// Time the kernel spent in the tracer's programs so far; refused before start and after stop.
  public func kernelNanoseconds() throws(EBPFError) -> UInt64? { try life.kernelNanoseconds() }

  /// True between ``pause()`` and ``resume()``.
  public var isPaused: Bool { life.isPaused }

  /// Makes the stacks of a process walkable before its next event, where that needs unwind tables: of
  /// one that is held where its program begins, or has just loaded code.
  ///
  /// Without this it is done after its first events. Returns when it is done; does nothing for a process
  /// that is gone.
  public func prepare(_ process: Int32) throws(EBPFError) {
    try life.withSession("prepare") { (session) throws(EBPFError) in try session.prepare(process) }
  }

  /// Records one page fault and one allocation in so many, or takes no stacks, from now on.
  ///
  /// Sums stay unbiased. Where bytes are picked (``MemoryTracerConfiguration/Allocations/sampled``)
  /// their mean distance is multiplied. Mappings, resident pages and out-of-memory kills are few and
  /// always recorded. While suspended the allocator's probes stay, so that the list of blocks in use
  /// stays true; nothing is recorded.
  public func economize(_ economy: TracerEconomy) throws(EBPFError) { try life.economize(economy) }

  /// What the allocator did so far, without names and lists: cheap. Refused before start and after
  /// stop.
  public func totals() throws(EBPFError) -> MemoryTotals {
    try life.withSession("look at") { (session) throws(EBPFError) in try session.totals() }
  }

  /// The hooks in use so far: a followed process may bring another allocator. Refused before start
  /// and after stop.
  public func hooks() throws(EBPFError) -> [TracerHook] {
    try life.withSession("ask for the hooks of") { (session) throws(EBPFError) in session.hooks }
  }

  /// Changes whose events are recorded, in the kernel, while the tracer runs. Processes whose
  /// allocators were not probed at the start stay without allocations.
  public func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    try life.withSession("filter") { (session) throws(EBPFError) in
      try session.setFilter(filter)
    }
  }

  /// Whether a 32-bit program is among what will be recorded.
  private var watchesCompat: Bool {
    if let program { return AllocatorLocator.program(program).map(CompatPrograms.isOne) ?? false }
    return CompatPrograms.run(among: configuration.filter.processes)
  }

  /// Where allocations of what will be recorded are seen.
  private func source(_ locator: AllocatorLocator) throws(EBPFError) -> AllocationSource {
    guard configuration.allocations != .none else { return .none }
    // Every call, or an allocator by name: that is not what a process picks.
    guard case .sampled = configuration.allocations,
      configuration.allocator == MemoryTracerConfiguration.Allocator()
    else { return .allocators(try files(locator), refusal: nil) }
    let found = try staticProbes(locator)
    guard found.files.isEmpty || found.missing != nil else { return .staticProbes(found.files) }
    var refusal: TracerHook.Refusal?
    if let missing = found.missing, !found.files.isEmpty {
      refusal = TracerHook.Refusal(
        hook: StaticProbeFile.description, why: "process \(missing) does not have them")
    }
    return .allocators(try files(locator), refusal: refusal)
  }

  /// The files with static probes of what will be recorded, and a process that has none. Nothing where
  /// anybody may be recorded: what is seen there by an allocator's functions may be told again.
  private func staticProbes(
    _ locator: AllocatorLocator
  ) throws(EBPFError) -> (files: [StaticProbeFile], missing: Int32?) {
    if let program {
      guard let path = AllocatorLocator.program(program) else { return ([], nil) }
      return (try locator.staticProbes(ofProgram: path), nil)
    }
    var files: [StaticProbeFile] = []
    var missing: Int32?
    for process in configuration.filter.processes.sorted() {
      let found = try locator.staticProbes(of: process)
      if found.isEmpty { missing = missing ?? process }
      files += found
    }
    return (files, missing)
  }

  /// The allocators of what will be recorded.
  private func files(_ locator: AllocatorLocator) throws(EBPFError) -> [AllocatorFile] {
    guard configuration.allocator.objects.isEmpty else { return try locator.named() }
    if let program {
      guard let path = AllocatorLocator.program(program) else {
        throw EBPFError(
          .notFound, "cannot run '\(program)'", hint: "give a path, or a command in PATH")
      }
      return try locator.files(ofProgram: path)
    }
    guard !configuration.filter.processes.isEmpty else { return locator.filesOfAll() }
    var files: [AllocatorFile] = []
    for process in configuration.filter.processes.sorted() {
      files += try locator.files(of: process)
    }
    return files
  }
}

extension MemorySession: TracerSession {
  var recordingSince: UInt64 { startTime.monotonic }

  func snapshot(statistics: TracerStatistics) throws(EBPFError) -> MemoryRecording {
    try MemoryAssembler(
      configuration, try readings(at: Clock.monotonic.now), symbolizer: symbolizer,
      baseline: baseline, usesStaticProbes: usesStaticProbes
    ).assemble(self, statistics: statistics)
  }

  func finish(recordedNanoseconds: UInt64) throws(EBPFError) -> MemoryRecording {
    let readings = try readAll()
    var statistics = try statistics()
    statistics.recordedNanoseconds = recordedNanoseconds
    return try MemoryAssembler(
      configuration, readings, symbolizer: symbolizer, baseline: baseline,
      usesStaticProbes: usesStaticProbes
    ).assemble(self, statistics: statistics)
  }

  func statistics() throws(EBPFError) -> TracerStatistics {
    let counts = try counts()
    var statistics = TracerStatistics()
    statistics.recorded =
      counts.allocationEvents + counts.freeEvents + counts.faultEvents + counts.mappings
      + counts.rssUpdates + counts.victims
      - min(counts.sitesLost, counts.allocationEvents + counts.faultEvents + counts.mappings)
    statistics.dropped =
      counts.threadsLost + counts.processesLost + counts.sitesLost + counts.unreadable
      + malformedRecords
    statistics.unwanted =
      counts.releaseEvents + counts.unknownFrees + counts.nullFrees + counts.failures
      + counts.nested + counts.abandoned + counts.sampledOut + counts.filtered + counts.paused
      + counts.mappingFailures + counts.unowned
    statistics.unfollowed = try unfollowed()
    statistics.sampledOut = counts.sampledOut
    statistics.seen = statistics.recorded + statistics.dropped + statistics.unwanted
    statistics.truncated = counts.stacksCut + counts.stacksLost
    if counts.firstEvent > requestTime {
      statistics.firstEventNanoseconds = counts.firstEvent - requestTime
    }
    return statistics
  }
}
