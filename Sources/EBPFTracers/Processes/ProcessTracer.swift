public import EBPF
public import EBPFSystem
internal import Synchronization

/// Tells which programs begin, which processes end, and how.
///
/// Needs Linux 5.8 with BTF, CAP_BPF and CAP_PERFMON (or root); no tracefs. Processes that were there
/// before it started are told of when they end, as ``ProcessRun/Origin/existing`` and with the time at
/// which they began. All methods may be called from any thread.
///
/// ```swift
/// let tracer = ProcessTracer()
/// try tracer.start()
/// try tracer.readEvents { event in … }
/// let recording = try tracer.stop()
/// ```
public final class ProcessTracer: Tracer {
  /// What the tracer was made with; the filter may have been changed since.
  public let configuration: ProcessTracerConfiguration
  private let kernel: any KernelInterface
  private let life = TracerLifeCycle<ProcessSession>()
  private let filter: Mutex<TracerFilter>

  /// Creates a tracer; nothing is loaded before ``start()``.
  public init(
    _ configuration: ProcessTracerConfiguration = ProcessTracerConfiguration(),
    kernel: any KernelInterface = LiveKernel()
  ) {
    self.configuration = configuration
    self.kernel = kernel
    filter = Mutex(configuration.filter)
  }

  /// Loads the programs and attaches them.
  public func start() throws(EBPFError) {
    try life.start { () throws(EBPFError) in
      try filter.withLock { (filter) throws(EBPFError) in
        var configuration = configuration
        configuration.filter = filter
        return try ProcessSession(configuration, kernel: kernel)
      }
    }
  }

  /// Records nothing that happens before ``resume()``.
  public func pause() throws(EBPFError) { try life.pause() }

  /// Records again. Programs that ended meanwhile are counted in ``ProcessLosses/unended``.
  public func resume() throws(EBPFError) { try life.resume() }

  /// Detaches and returns what was not read.
  public func stop() throws(EBPFError) -> ProcessRecording { try life.stop() }

  /// What was recorded and lost so far; all zero before start and after stop.
  public func statistics() throws(EBPFError) -> TracerStatistics { try life.statistics() }

  /// What the tracer has cost so far; refused before start and after stop.
  public func overhead() throws(EBPFError) -> TracerOverhead { try life.overhead() }

  /// Time the kernel spent in the tracer's programs so far; nil unless
  /// ``ProcessTracerConfiguration/measuresProgramTime``. Refused before start and after stop.
  public func kernelNanoseconds() throws(EBPFError) -> UInt64? { try life.kernelNanoseconds() }

  /// True between ``pause()`` and ``resume()``.
  public var isPaused: Bool { life.isPaused }

  /// Records one process in so many, or nothing, from now on. A process is picked for all of its life.
  public func economize(_ economy: TracerEconomy) throws(EBPFError) { try life.economize(economy) }

  /// Whose programs are recorded from now on. Acts in the kernel.
  public func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    try self.filter.withLock { (current) throws(EBPFError) in
      if let session = life.ifRunning({ $0 }) { try session.apply(filter) }
      current = filter
    }
  }

  /// What runs and what was lost so far, without stopping; refused before start and after stop.
  public func snapshot() throws(EBPFError) -> ProcessRecording {
    let statistics = try life.statistics()
    return try life.withSession("look at") { (session) throws(EBPFError) in
      try session.recording(statistics)
    }
  }

  /// Passes the events that have arrived to `body`, in the order in which they happened on each CPU.
  ///
  /// There is one reader. Events are read when this is called, and wait in the kernel's buffer until
  /// then; what does not fit is counted.
  ///
  /// - Parameter limit: the most records that are read; one that says that a process executes another
  ///   program is two events.
  /// - Returns: how many records there were.
  @discardableResult
  public func readEvents(
    limit: Int = .max, _ body: (ProcessEvent) -> Void
  ) throws(EBPFError) -> Int {
    try life.withSession("read events of") { (session) throws(EBPFError) in
      session.readEvents(limit: limit, body)
    }
  }
}
