internal import EBPF
internal import EBPFSystem

/// The members of a group between start and stop.
final class TracerGroupSession: TracerSession {
  let recordingSince: UInt64
  private let group: TracerGroup
  /// The lists that the members filter by; nil where each has its own.
  private let lists: ProcessLists?

  init(_ group: TracerGroup) throws(EBPFError) {
    self.group = group
    let filters = Set(group.groupMembers.map(\.firstFilter))
    let lists =
      filters.count == 1 ? ProcessLists(isShared: true, kernel: LiveKernel()) : nil
    self.lists = lists
    try KernelTypes.running.keeping { () throws(EBPFError) in
      var started: [any Tracer] = []
      do throws(EBPFError) {
        for member in group.groupMembers {
          try member.start(sharing: lists)
          started.append(member)
        }
        try lists?.complete()
      } catch {
        for other in started.reversed() { TracerGroupSession.discard(other) }
        throw error
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
    if let lists { sum.unfollowed = try lists.lost() }
    return sum
  }

  func overhead() throws(EBPFError) -> TracerOverhead {
    var all: [TracerOverhead] = []
    for member in group.members { all.append(try member.overhead()) }
    // The members leave out what they share.
    let following = try OverheadMeter.runs(lists?.programs ?? [])
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
      residentBytes: all.map(\.residentBytes).max() ?? 0,
      mapBytes: sum(\.mapBytes).map { $0 &+ (OverheadMeter.bytes(of: lists?.maps ?? []) ?? 0) },
      kernelNanoseconds: sum(\.kernelNanoseconds).map {
        following.reduce($0) { $0 &+ $1.nanoseconds }
      },
      kernelRuns: sum(\.kernelRuns).map { following.reduce($0) { $0 &+ $1.count } },
      latencyMedian: all.compactMap(\.latencyMedian).max(),
      latencyP99: all.compactMap(\.latencyP99).max(), unavailable: reasons,
      programs: all.flatMap(\.programs) + following)
  }

  func kernelNanoseconds() throws(EBPFError) -> UInt64? {
    var sum: UInt64?
    for member in group.members {
      if let nanoseconds = try member.kernelNanoseconds() { sum = (sum ?? 0) &+ nanoseconds }
    }
    guard let sum else { return nil }
    return try OverheadMeter.runs(lists?.programs ?? []).reduce(sum) { $0 &+ $1.nanoseconds }
  }

  func setFilter(_ filter: TracerFilter) throws(EBPFError) {
    for member in group.members { try member.setFilter(filter) }
    // Now that nobody goes by what was there before.
    try lists?.removeOthers(than: filter)
  }

  func economize(_ economy: TracerEconomy) throws(EBPFError) {
    for member in group.members { try member.economize(economy) }
  }

  func unload() {}
}

/// A tracer that can have the lists of its filter in common with others.
protocol GroupMember: Tracer {
  /// Whose events it records from the beginning.
  var firstFilter: TracerFilter { get }
  /// ``Tracer/start()``, with the lists of a group.
  func start(sharing lists: ProcessLists?) throws(EBPFError)
}

extension CPUProfiler: GroupMember {
  var firstFilter: TracerFilter { configuration.filter }
}

extension MemoryTracer: GroupMember {
  var firstFilter: TracerFilter { configuration.filter }
}

extension SyscallTracer: GroupMember {}

extension NetworkTracer: GroupMember {
  var firstFilter: TracerFilter { configuration.filter }
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
    unfollowed &+= other.unfollowed
    if let first = other.firstEventNanoseconds {
      firstEventNanoseconds = min(firstEventNanoseconds ?? first, first)
    }
  }
}
