public import EBPF

/// Several tracers with one life: all of them start or none does, and they pause, resume and stop
/// together.
///
/// ```swift
/// let group = TracerGroup(profiler: CPUProfiler(), syscalls: SyscallTracer())
/// try group.start()
/// …
/// let results = try group.stop()
/// ```
///
/// The members must not be started, paused, resumed or stopped on their own. The kernel's types are
/// read once for all of them. When they begin with the same filter they have its lists in common, and
/// one pair of programs follows the processes in it. With one ``TracerSharing`` they also look up names
/// once.
public final class TracerGroup: Tracer {
  /// What the members recorded.
  public struct Results: Sendable {
    /// Of the CPU profiler.
    public var profile: CPUProfile?
    /// Of the system call tracer.
    public var syscalls: SyscallSummary?
    /// Of the network tracer.
    public var network: NetworkActivity?
    /// Of the memory tracer.
    public var memory: MemoryRecording?
  }

  /// The CPU profiler.
  public let profiler: CPUProfiler?
  /// The system call tracer.
  public let syscalls: SyscallTracer?
  /// The network tracer.
  public let network: NetworkTracer?
  /// The memory tracer.
  public let memory: MemoryTracer?
  private let life = TracerLifeCycle<TracerGroupSession>()

  /// Takes over tracers that have not been started.
  public init(
    profiler: CPUProfiler? = nil, syscalls: SyscallTracer? = nil, network: NetworkTracer? = nil,
    memory: MemoryTracer? = nil
  ) {
    self.profiler = profiler
    self.syscalls = syscalls
    self.network = network
    self.memory = memory
  }

  /// The members, in the order in which they start.
  public var members: [any Tracer] { groupMembers }

  var groupMembers: [any GroupMember] {
    let all: [(any GroupMember)?] = [memory, network, profiler, syscalls]
    return all.compactMap { $0 }
  }

  /// Starts all members; when one fails those before it are stopped again.
  public func start() throws(EBPFError) {
    try life.start { () throws(EBPFError) in try TracerGroupSession(self) }
  }

  /// Pauses all members; when one fails those before it record again.
  public func pause() throws(EBPFError) { try life.pause() }

  /// Lets all members record again.
  public func resume() throws(EBPFError) { try life.resume() }

  /// Pauses all members, so that they end at one moment, then stops each. When one fails the others
  /// are stopped all the same.
  public func stop() throws(EBPFError) -> Results { try life.stop() }

  /// The sums over the members; all zero before start and after stop.
  public func statistics() throws(EBPFError) -> TracerStatistics { try life.statistics() }

  /// What all members cost together; latencies are those of the slowest.
  public func overhead() throws(EBPFError) -> TracerOverhead { try life.overhead() }

  /// Time the kernel spent in the programs of those members that measure it; nil when none does.
  public func kernelNanoseconds() throws(EBPFError) -> UInt64? { try life.kernelNanoseconds() }

  /// True between ``pause()`` and ``resume()``.
  public var isPaused: Bool { life.isPaused }

  /// Changes whose events all members record from now on.
  public func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    try life.withSession("filter") { (session) throws(EBPFError) in
      try session.setFilter(filter)
    }
  }

  /// Makes the stacks of a process walkable before its next event: see ``CPUProfiler/prepare(_:)``.
  public func prepare(_ process: Int32) throws(EBPFError) {
    try profiler?.prepare(process)
    try memory?.prepare(process)
  }

  /// Leaves out what costs too much in all members.
  public func economize(_ economy: TracerEconomy) throws(EBPFError) { try life.economize(economy) }
}
