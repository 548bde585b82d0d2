public import EBPF
internal import EBPFSystem

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
/// read once for all of them; with one ``TracerSharing`` they also look up names once.
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
  public var members: [any Tracer] {
    let all: [(any Tracer)?] = [memory, network, profiler, syscalls]
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
    for member in members { try member.setFilter(filter) }
  }

  /// Makes the stacks of a process walkable before its next sample: see ``CPUProfiler/prepare(_:)``.
  public func prepare(_ process: Int32) throws(EBPFError) { try profiler?.prepare(process) }

  /// Leaves out what costs too much in all members.
  public func economize(_ economy: TracerEconomy) throws(EBPFError) { try life.economize(economy) }
}

/// The members of a group between start and stop.
final class TracerGroupSession: TracerSession {
  let recordingSince: UInt64
  private let group: TracerGroup

  init(_ group: TracerGroup) throws(EBPFError) {
    self.group = group
    try KernelTypes.running.keeping { () throws(EBPFError) in
      var started: [any Tracer] = []
      for member in group.members {
        do throws(EBPFError) { try member.start() } catch {
          for other in started.reversed() { TracerGroupSession.discard(other) }
          throw error
        }
        started.append(member)
      }
    }
    recordingSince = Clock.monotonic.now
  }

  /// The error that led here says more than one that follows from it.
  private static func discard(_ member: any Tracer) {
    do throws(EBPFError) { _ = try member.stop() } catch { return }
  }

  func setPaused(_ isPaused: Bool) throws(EBPFError) {
    var changed: [any Tracer] = []
    for member in group.members where member.isPaused != isPaused {
      do throws(EBPFError) {
        if isPaused { try member.pause() } else { try member.resume() }
      } catch {
        for other in changed {
          do throws(EBPFError) {
            if isPaused { try other.resume() } else { try other.pause() }
          } catch { continue }
        }
        throw error
      }
      changed.append(member)
    }
  }

  func finish(recordedNanoseconds: UInt64) throws(EBPFError) -> TracerGroup.Results {
    var failure: EBPFError?
    func attempt<Value>(_ body: () throws(EBPFError) -> Value?) -> Value? {
      do throws(EBPFError) { return try body() } catch {
        failure = failure ?? error
        return nil
      }
    }
    _ = attempt { () throws(EBPFError) in try setPaused(true) }
    var results = TracerGroup.Results()
    results.memory = attempt { () throws(EBPFError) in try group.memory?.stop() }
    results.network = attempt { () throws(EBPFError) in try group.network?.stop() }
    results.syscalls = attempt { () throws(EBPFError) in try group.syscalls?.stop() }
    results.profile = attempt { () throws(EBPFError) in try group.profiler?.stop() }
    if let failure { throw failure }
    return results
  }

  func statistics() throws(EBPFError) -> TracerStatistics {
    var sum = TracerStatistics()
    for member in group.members { sum.add(try member.statistics()) }
    return sum
  }

  func overhead() throws(EBPFError) -> TracerOverhead {
    var all: [TracerOverhead] = []
    for member in group.members { all.append(try member.overhead()) }
    var reasons: [String] = []
    for reason in all.flatMap(\.unavailable) where !reasons.contains(reason) {
      reasons.append(reason)
    }
    func sum(_ field: KeyPath<TracerOverhead, UInt64?>) -> UInt64? {
      let known = all.compactMap { $0[keyPath: field] }
      return known.isEmpty ? nil : known.reduce(0, &+)
    }
    return TracerOverhead(
      cpuPercent: all.map(\.cpuPercent).max() ?? 0,
      residentBytes: all.map(\.residentBytes).max() ?? 0, mapBytes: sum(\.mapBytes),
      kernelNanoseconds: sum(\.kernelNanoseconds), kernelRuns: sum(\.kernelRuns),
      latencyMedian: all.compactMap(\.latencyMedian).max(),
      latencyP99: all.compactMap(\.latencyP99).max(), unavailable: reasons,
      programs: all.flatMap(\.programs))
  }

  func kernelNanoseconds() throws(EBPFError) -> UInt64? {
    var sum: UInt64?
    for member in group.members {
      if let nanoseconds = try member.kernelNanoseconds() { sum = (sum ?? 0) &+ nanoseconds }
    }
    return sum
  }

  func economize(_ economy: TracerEconomy) throws(EBPFError) {
    for member in group.members { try member.economize(economy) }
  }

  func unload() {}
}

extension TracerStatistics {
  /// Adds what another tracer recorded and lost at the same time.
  fileprivate mutating func add(_ other: TracerStatistics) {
    seen &+= other.seen
    recorded &+= other.recorded
    dropped &+= other.dropped
    unwanted &+= other.unwanted
    capped &+= other.capped
    sampledOut &+= other.sampledOut
    truncated &+= other.truncated
    malformed &+= other.malformed
    if let first = other.firstEventNanoseconds {
      firstEventNanoseconds = min(firstEventNanoseconds ?? first, first)
    }
  }
}
