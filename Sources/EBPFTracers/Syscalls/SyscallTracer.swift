public import EBPF
public import EBPFSystem
internal import Synchronization

/// Counts and times system calls in the kernel: by call, by process or cgroup, by errno.
///
/// Needs Linux 5.8 with BTF, CAP_BPF and CAP_PERFMON (or root); no tracefs. Unless ``economize(_:)``
/// asks for it nothing is sampled: every call of every thread is counted, and what found no room is
/// counted too. All methods may be called from any thread.
///
/// ```swift
/// let tracer = SyscallTracer()
/// try tracer.filterSyscall("openat", enabled: true)
/// try tracer.start()
/// …
/// let summary = try tracer.stop()
/// ```
public final class SyscallTracer: Tracer {
  /// What the tracer was made with; filters may have been changed since.
  public let configuration: SyscallTracerConfiguration
  private let kernel: any KernelInterface
  private let life = TracerLifeCycle<SyscallSession>()
  private let wishes: Mutex<Wishes>

  /// What can be changed at any time.
  private struct Wishes {
    var filter: TracerFilter
    var selection: SyscallSelection
    var results: SyscallResultFilter
  }

  /// Creates a tracer; nothing is loaded before ``start()``.
  public init(
    _ configuration: SyscallTracerConfiguration = SyscallTracerConfiguration(),
    kernel: any KernelInterface = LiveKernel()
  ) {
    self.configuration = configuration
    self.kernel = kernel
    wishes = Mutex(
      Wishes(
        filter: configuration.filter, selection: configuration.selection,
        results: configuration.results))
  }

  /// Loads the programs and attaches them to the entry and the return of every system call.
  public func start() throws(EBPFError) { try start(sharing: nil) }

  func start(sharing lists: ProcessLists?) throws(EBPFError) {
    try life.start { () throws(EBPFError) in
      try wishes.withLock { (wishes) throws(EBPFError) in
        var configuration = configuration
        configuration.filter = wishes.filter
        configuration.selection = wishes.selection
        configuration.results = wishes.results
        return try SyscallSession(configuration, lists: lists, kernel: kernel)
      }
    }
  }

  var firstFilter: TracerFilter { wishes.withLock { $0.filter } }

  /// Records no call that begins before ``resume()``; calls that began earlier are recorded when they
  /// return.
  public func pause() throws(EBPFError) { try life.pause() }

  /// Records again.
  public func resume() throws(EBPFError) { try life.resume() }

  /// Detaches and returns the counts.
  public func stop() throws(EBPFError) -> SyscallSummary { try life.stop() }

  /// What was recorded and lost so far; all zero before start and after stop.
  public func statistics() throws(EBPFError) -> TracerStatistics { try life.statistics() }

  /// What the tracer has cost so far; refused before start and after stop.
  public func overhead() throws(EBPFError) -> TracerOverhead { try life.overhead() }

  /// Time the kernel spent in the tracer's programs so far; nil unless
  /// ``SyscallTracerConfiguration/measuresProgramTime``. Refused before start and after stop.
  public func kernelNanoseconds() throws(EBPFError) -> UInt64? { try life.kernelNanoseconds() }

  /// True between ``pause()`` and ``resume()``.
  public var isPaused: Bool { life.isPaused }

  /// Counts one call in so many, leaves out stacks or short events, or detaches, from now on.
  ///
  /// Sums stay unbiased: a call that is picked as one of n counts n times. While suspended nothing is
  /// seen at all; calls in progress at that moment have no end.
  public func economize(_ economy: TracerEconomy) throws(EBPFError) { try life.economize(economy) }

  /// The counts so far, without stopping; refused before start and after stop.
  public func snapshot() throws(EBPFError) -> SyscallSummary {
    let statistics = try life.statistics()
    return try life.withSession("look at") { (session) throws(EBPFError) in
      try session.summary(statistics: statistics)
    }
  }

  /// Passes the events that have arrived to `body`, in the order the calls returned on each CPU.
  ///
  /// For tracers with ``SyscallTracerConfiguration/sendsEvents``; one reader. Events are read when this
  /// is called, and wait in the kernel's buffer until then; what does not fit is counted.
  ///
  /// - Returns: how many there were.
  @discardableResult
  public func readEvents(
    limit: Int = .max, _ body: (SyscallEvent) -> Void
  ) throws(EBPFError) -> Int {
    try life.withSession("read events of") { (session) throws(EBPFError) in
      session.readEvents(limit: limit, body)
    }
  }

  /// Waits until many events are there, or for a time.
  public func waitForEvents(timeout: Duration) throws(EBPFError) {
    try life.withSession("wait for") { (session) throws(EBPFError) in
      try session.waitForEvents(timeout: timeout)
    }
  }
}

// MARK: - Filters, at any time

extension SyscallTracer {
  /// Whose calls are recorded from now on. Acts in the kernel.
  public func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    try wishes.withLock { (wishes) throws(EBPFError) in
      try ifStarted { (session) throws(EBPFError) in try session.apply(filter) }
      wishes.filter = filter
    }
  }

  /// Records a call, or leaves it out, from now on. Acts in the kernel.
  ///
  /// The first `enabled: true` makes a list of what is recorded, under the rules of
  /// ``SyscallSelection``. An unknown name is an error that says which names are near.
  ///
  /// - Returns: what to know about a name that may not be what was meant: programs that call the C
  ///   library's `open` make the system call `openat`.
  @discardableResult
  public func filterSyscall(_ name: String, enabled: Bool) throws(EBPFError) -> String? {
    try changeSelection { (selection) throws(EBPFError) in
      try selection.set(name, enabled: enabled)
    }
    return SyscallSelection.advice(for: name)
  }

  /// Which calls are recorded from now on. Acts in the kernel.
  public func setSelection(_ selection: SyscallSelection) throws(EBPFError) {
    try changeSelection { (current) throws(EBPFError) in current = selection }
  }

  private func changeSelection(
    _ change: (inout SyscallSelection) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    try wishes.withLock { (wishes) throws(EBPFError) in
      var selection = wishes.selection
      try change(&selection)
      try ifStarted { (session) throws(EBPFError) in session.apply(selection) }
      wishes.selection = selection
    }
  }

  /// Which results are recorded from now on. Acts in the kernel.
  public func setResultFilter(_ results: SyscallResultFilter) throws(EBPFError) {
    try wishes.withLock { (wishes) throws(EBPFError) in
      try SyscallSession.check(results)
      try ifStarted { (session) throws(EBPFError) in session.apply(results) }
      wishes.results = results
    }
  }

  private func ifStarted(
    _ body: (SyscallSession) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    if let session = life.ifRunning({ $0 }) { try body(session) }
  }
}
