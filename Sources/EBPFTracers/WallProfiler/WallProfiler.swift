public import EBPF
public import EBPFSystem

/// Records where the time of threads goes: on a CPU, waiting for one, or blocked, and in which stack.
///
/// Each context switch is counted in the kernel, none is sampled, so the figures of a thread are exact:
/// running, runnable and blocked time add up to the time that it was there. Threads that were there
/// before are included from the start on, and those that are blocked at the end up to it.
///
/// Needs Linux 5.8 with BTF, CAP_BPF and CAP_PERFMON (or root); best from 5.18. It costs one to a few
/// microseconds for each context switch of what is recorded.
///
/// ```swift
/// let profiler = WallProfiler()
/// try profiler.start()
/// …
/// let threads = try profiler.stop().threads
/// ```
public final class WallProfiler: Tracer {
  /// How time is recorded.
  public let configuration: WallProfilerConfiguration
  private let kernel: any KernelInterface
  private let life = TracerLifeCycle<WallSession>()

  /// Creates a profiler; nothing is loaded before ``start()``.
  public init(
    _ configuration: WallProfilerConfiguration = WallProfilerConfiguration(),
    kernel: any KernelInterface = LiveKernel()
  ) {
    self.configuration = configuration
    self.kernel = kernel
  }

  /// Loads and attaches the programs, and takes in the threads that are there.
  public func start() throws(EBPFError) {
    guard CPUProfilerConfiguration.frequencies.contains(configuration.frequency) else {
      throw EBPFError(
        .invalidArgument, "cannot sample \(configuration.frequency) times a second",
        hint: "choose 1 to 1000")
    }
    try life.start { () throws(EBPFError) in try WallSession(configuration, kernel: kernel) }
  }

  /// Lets time stand still until ``resume()``: what threads do meanwhile is in no figure.
  public func pause() throws(EBPFError) { try life.pause() }

  /// Lets time pass again.
  public func resume() throws(EBPFError) { try life.resume() }

  /// Detaches, counts what is open, names every address and returns the profile.
  public func stop() throws(EBPFError) -> WallProfile { try life.stop() }

  /// Everything so far, while recording goes on, with the waits that threads are in; refused before start
  /// and after stop.
  ///
  /// It costs reading the record of each thread and all stacks from the kernel; addresses that were
  /// named once are not looked up again. What a thread does meanwhile may be in some figures and not in
  /// others.
  public func snapshot() throws(EBPFError) -> WallProfile {
    let statistics = try life.statistics()
    return try life.withSession("look at") { (session) throws(EBPFError) in
      try session.snapshot(statistics: statistics)
    }
  }

  /// What was recorded and lost so far; all zero before start and after stop.
  public func statistics() throws(EBPFError) -> TracerStatistics { try life.statistics() }

  /// What the profiler has cost so far; refused before start and after stop.
  public func overhead() throws(EBPFError) -> TracerOverhead { try life.overhead() }

  /// Changes whose time is recorded, in the kernel, while the profiler runs: from the next time on that
  /// a thread leaves its CPU.
  public func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    try life.withSession("filter") { (session) throws(EBPFError) in
      try session.setFilter(filter)
    }
  }

  /// Makes the stacks of a process walkable before its next wait or sample, where that needs unwind
  /// tables: of one that is held where its program begins, or has just loaded code.
  ///
  /// Without this it is done after its first ones. Time stands still until it is done. Does nothing for a
  /// process that is gone.
  public func prepare(_ process: Int32) throws(EBPFError) {
    try life.withSession("prepare") { (session) throws(EBPFError) in try session.prepare(process) }
  }

  /// Leaves out stacks, of all waits or of some, from now on. Times stay complete.
  public func economize(_ economy: TracerEconomy) throws(EBPFError) { try life.economize(economy) }

  /// Time the kernel spent in the programs so far; nil where it is not measured.
  public func kernelNanoseconds() throws(EBPFError) -> UInt64? { try life.kernelNanoseconds() }

  /// True between ``pause()`` and ``resume()``.
  public var isPaused: Bool { life.isPaused }
}
