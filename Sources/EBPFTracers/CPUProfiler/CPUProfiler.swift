public import EBPF
public import EBPFSystem

/// Samples the stacks of every CPU and counts equal ones in the kernel.
///
/// Needs Linux 5.8 with BTF, CAP_BPF and CAP_PERFMON (or root). Uses the software event `cpu-clock`,
/// which every machine has, also virtual ones without hardware counters. All methods may be called
/// from any thread.
///
/// ```swift
/// let profiler = CPUProfiler()
/// try profiler.start()
/// …
/// let profile = try profiler.stop().profile
/// ```
public final class CPUProfiler: Tracer {
  /// How the profile is taken.
  public let configuration: CPUProfilerConfiguration
  private let kernel: any KernelInterface
  private let sharing: TracerSharing?
  private let life = TracerLifeCycle<ProfilerSession>()

  /// Creates a profiler; nothing is loaded before ``start()``.
  public init(
    _ configuration: CPUProfilerConfiguration = CPUProfilerConfiguration(),
    sharing: TracerSharing? = nil, kernel: any KernelInterface = LiveKernel()
  ) {
    self.configuration = configuration
    self.sharing = sharing
    self.kernel = kernel
  }

  /// Loads the program and attaches it to every online CPU.
  public func start() throws(EBPFError) { try start(sharing: nil) }

  func start(sharing lists: ProcessLists?) throws(EBPFError) {
    guard CPUProfilerConfiguration.frequencies.contains(configuration.frequency) else {
      throw EBPFError(
        .invalidArgument, "cannot sample \(configuration.frequency) times a second",
        hint: "choose 1 to 1000")
    }
    // Who starts a profiler because a machine is busy should not wait until it is not.
    try life.start { () throws(EBPFError) in
      let symbolizer = TracerSharing.symbolizer(sharing)
      return try Thread.urgently { () throws(EBPFError) in
        try ProfilerSession(
          configuration, symbolizer: symbolizer, lists: lists, kernel: kernel)
      }
    }
  }

  /// Takes no samples until ``resume()``.
  public func pause() throws(EBPFError) { try life.pause() }

  /// Takes samples again, at the same rate.
  public func resume() throws(EBPFError) { try life.resume() }

  /// Detaches, names every address and returns the profile.
  public func stop() throws(EBPFError) -> CPUProfile { try life.stop() }

  /// What was sampled since an earlier moment, or since the start, while sampling goes on; refused
  /// before start and after stop.
  ///
  /// Each sample is in exactly one of the profiles that follow one another's marks. It costs reading
  /// all counts from the kernel, and naming the stacks that were met since the mark; addresses that
  /// were named once are not looked up again.
  public func snapshot(
    since mark: CPUProfileMark? = nil
  ) throws(EBPFError) -> (profile: CPUProfile, mark: CPUProfileMark) {
    let statistics = try life.statistics()
    return try life.withSession("look at") { (session) throws(EBPFError) in
      try session.snapshot(since: mark, statistics: statistics)
    }
  }

  /// What was recorded and lost so far; all zero before start and after stop.
  public func statistics() throws(EBPFError) -> TracerStatistics { try life.statistics() }

  /// What the profiler has cost so far; refused before start and after stop.
  public func overhead() throws(EBPFError) -> TracerOverhead { try life.overhead() }

  /// Changes whose samples are recorded, in the kernel, while the profiler runs.
  public func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    try life.withSession("filter") { (session) throws(EBPFError) in
      try session.setFilter(filter)
    }
  }

  /// Makes the stacks of a process walkable before its next sample, where that needs unwind tables:
  /// of one that is held where its program begins, or has just loaded code.
  ///
  /// Without this it is done after its first samples. Returns when it is done; does nothing for a process
  /// that is gone.
  public func prepare(_ process: Int32) throws(EBPFError) {
    try life.withSession("prepare") { (session) throws(EBPFError) in try session.prepare(process) }
  }

  /// Leaves out samples, or their stacks, from now on.
  public func economize(_ economy: TracerEconomy) throws(EBPFError) { try life.economize(economy) }

  /// Time the kernel spent in the profiler's programs so far; refused before start and after stop.
  public func kernelNanoseconds() throws(EBPFError) -> UInt64? { try life.kernelNanoseconds() }

  /// True between ``pause()`` and ``resume()``.
  public var isPaused: Bool { life.isPaused }

  /// True when ``CPUProfilerConfiguration/sampleLimit`` was reached and nothing more is recorded.
  public var isFull: Bool {
    guard configuration.sampleLimit > 0 else { return false }
    return (life.ifRunning { $0.limitedSamples } ?? 0) >= configuration.sampleLimit
  }
}

extension ProfilerSession: TracerSession {
  var recordingSince: UInt64 { startTime.monotonic }

  func finish(recordedNanoseconds: UInt64) throws(EBPFError) -> CPUProfile {
    let (samples, received) = try finish()
    var statistics = try statistics()
    statistics.recordedNanoseconds = recordedNanoseconds
    let assembler = ProfileAssembler(
      configuration: configuration, stacks: received.stacks, cgroups: received.cgroups,
      symbolizer: symbolizer, contexts: contexts)
    return try assembler.assemble(samples, session: self, statistics: statistics)
  }

  func snapshot(
    since mark: CPUProfileMark?, statistics: TracerStatistics
  ) throws(EBPFError) -> (profile: CPUProfile, mark: CPUProfileMark) {
    let (samples, received) = try countsSoFar()
    var news = samples
    if let mark {
      for (key, count) in mark.samples where news[key] != nil {
        let difference = (news[key] ?? 0) &- min(news[key] ?? 0, count)
        news[key] = difference == 0 ? nil : difference
      }
    }
    let assembler = ProfileAssembler(
      configuration: configuration, stacks: received.stacks, cgroups: received.cgroups,
      symbolizer: symbolizer, contexts: contexts)
    return (
      try assembler.assemble(news, session: self, statistics: statistics),
      CPUProfileMark(samples: samples)
    )
  }

  func statistics() throws(EBPFError) -> TracerStatistics {
    let counts = try counts()
    var statistics = TracerStatistics()
    statistics.seen = counts.seen
    statistics.recorded = counts.recorded + counts.overflowed + counts.linked
    statistics.dropped = counts.dropped
    statistics.malformed = malformedRecords
    statistics.unfollowed = try unfollowed()
    statistics.capped = counts.capped
    statistics.sampledOut = counts.sampledOut
    statistics.unwanted =
      counts.excluded + counts.idle + counts.filtered + counts.capped + counts.sampledOut
    statistics.truncated =
      counts.userStacksCut + counts.kernelStacksCut + counts.userStacksLost
      + counts.kernelStacksLost
    if counts.firstSample > requestTime {
      statistics.firstEventNanoseconds = counts.firstSample - requestTime
    }
    return statistics
  }
}
