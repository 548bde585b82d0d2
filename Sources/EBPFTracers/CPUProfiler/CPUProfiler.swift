public import EBPF
public import EBPFSystem
internal import Synchronization

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
  private let state = Mutex(State())

  private struct State {
    var machine = TracerStateMachine()
    var session: ProfilerSession?
  }

  /// Creates a profiler; nothing is loaded before ``start()``.
  public init(
    _ configuration: CPUProfilerConfiguration = CPUProfilerConfiguration(),
    kernel: any KernelInterface = LiveKernel()
  ) {
    self.configuration = configuration
    self.kernel = kernel
  }

  /// Loads the program and attaches it to every online CPU.
  public func start() throws(EBPFError) {
    guard CPUProfilerConfiguration.frequencies.contains(configuration.frequency) else {
      throw EBPFError(
        .invalidArgument, "cannot sample \(configuration.frequency) times a second",
        hint: "choose 1 to 1000")
    }
    try state.withLock { (state) throws(EBPFError) in
      try state.machine.start()
      do throws(EBPFError) {
        let session = try ProfilerSession(configuration, kernel: kernel)
        state.session = session
        state.machine.didStart(at: session.startTime.monotonic)
      } catch {
        state.machine.didFailToStart()
        throw error
      }
    }
  }

  /// Takes no samples until ``resume()``.
  public func pause() throws(EBPFError) {
    try state.withLock { (state) throws(EBPFError) in
      var machine = state.machine
      try machine.pause(at: Clock.monotonic.now)
      try state.session?.setPaused(true)
      state.machine = machine
    }
  }

  /// Takes samples again, at the same rate.
  public func resume() throws(EBPFError) {
    try state.withLock { (state) throws(EBPFError) in
      var machine = state.machine
      try machine.resume(at: Clock.monotonic.now)
      try state.session?.setPaused(false)
      state.machine = machine
    }
  }

  /// Detaches, names every address and returns the profile.
  public func stop() throws(EBPFError) -> CPUProfile {
    try state.withLock { (state) throws(EBPFError) in
      let now = Clock.monotonic.now
      try state.machine.stop(at: now)
      guard let session = state.session else {
        preconditionFailure("a tracer that can be stopped has a session")
      }
      defer {
        session.unload()
        state.session = nil
        state.machine.didStop()
      }
      let (samples, stacks) = try session.finish()
      let statistics = try statistics(session, recorded: state.machine.recorded(at: now))
      let assembler = ProfileAssembler(
        configuration: configuration, stacks: stacks, symbolizer: session.symbolizer)
      return try assembler.assemble(
        samples, session: session, statistics: statistics)
    }
  }

  /// What was recorded and lost so far; all zero before start and after stop.
  public func statistics() throws(EBPFError) -> TracerStatistics {
    try state.withLock { (state) throws(EBPFError) in
      guard let session = state.session else { return TracerStatistics() }
      return try statistics(session, recorded: state.machine.recorded(at: Clock.monotonic.now))
    }
  }

  /// What the profiler has cost so far; refused before start and after stop.
  public func overhead() throws(EBPFError) -> TracerOverhead {
    try state.withLock { (state) throws(EBPFError) in
      guard let session = state.session else {
        throw EBPFError(
          .invalidState, "a tracer that is \(state.machine.state.name) costs nothing",
          hint: "ask while it runs; the result of stop() has the final figures")
      }
      return try session.overhead()
    }
  }

  /// True when ``CPUProfilerConfiguration/sampleLimit`` was reached and nothing more is recorded.
  public var isFull: Bool {
    guard configuration.sampleLimit > 0 else { return false }
    return state.withLock { ($0.session?.limitedSamples ?? 0) >= configuration.sampleLimit }
  }

  private func statistics(
    _ session: ProfilerSession, recorded nanoseconds: UInt64
  ) throws(EBPFError) -> TracerStatistics {
    let counts = try session.counts()
    var statistics = TracerStatistics()
    statistics.seen = counts.seen
    statistics.recorded = counts.recorded + counts.overflowed
    statistics.dropped = counts.dropped + session.malformedRecords
    statistics.capped = counts.capped
    statistics.unwanted =
      counts.paused + counts.excluded + counts.idle + counts.filtered + counts.capped
    statistics.truncated =
      counts.userStacksCut + counts.kernelStacksCut + counts.userStacksLost
      + counts.kernelStacksLost
    statistics.recordedNanoseconds = nanoseconds
    if counts.firstSample > session.requestTime {
      statistics.firstEventNanoseconds = counts.firstSample - session.requestTime
    }
    return statistics
  }
}
