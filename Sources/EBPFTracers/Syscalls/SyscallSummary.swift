/// What a system call tracer counted.
public struct SyscallSummary: Sendable {
  /// Every call that was seen, by number.
  public var calls: [SyscallTotals] = []
  /// Counts by process or cgroup, call and errno.
  public var matrix: [SyscallCount] = []
  /// The cgroups (v2) of processes, by id; a process that moves has the one it was in last.
  public var cgroups: [SyscallOwner: UInt64] = [:]
  /// Histograms by process or cgroup and call, when they were asked for.
  public var histograms: [SyscallOwnerHistogram] = []
  /// Threads that were inside a call when recording began.
  public var waitingAtStart: [WaitingCall] = []
  /// Threads that had not returned from a recorded call at the end.
  public var waitingAtEnd: [WaitingCall] = []
  /// Events that had not been read when recording ended.
  public var unreadEvents: [SyscallEvent] = []
  /// What was recorded and lost.
  public var statistics = TracerStatistics()
  /// Where losses happened.
  public var losses = SyscallLosses()
  /// What processes told of their spans; nil unless ``SyscallTracerConfiguration/linksSpans``.
  public var contexts: ContextStatistics?
  /// What recording cost; nil in a snapshot.
  public var overhead: TracerOverhead?
  /// The hooks in use.
  public var hooks: [TracerHook] = []

  /// Creates an empty summary.
  public init() {}

  /// Recorded calls, returned or not.
  public var total: UInt64 { calls.reduce(0) { $0 &+ $1.count } }
  /// Recorded calls that returned.
  public var returns: UInt64 { calls.reduce(0) { $0 &+ $1.returns } }
  /// Recorded calls that failed.
  public var errors: UInt64 { calls.reduce(0) { $0 &+ $1.errors } }
  /// How many different calls were recorded.
  public var unique: Int { calls.count { $0.count > 0 } }

  /// What was counted since an earlier snapshot of the same tracer.
  public func since(_ earlier: SyscallSummary) -> SyscallSummary {
    var change = self
    let before = Dictionary(earlier.calls.map { ($0.call, $0) }, uniquingKeysWith: { $1 })
    change.calls = calls.compactMap { now in
      let difference = before[now.call].map { now.since($0) } ?? now
      return difference.isEmpty ? nil : difference
    }
    let counts = Dictionary(
      earlier.matrix.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
    change.matrix = matrix.compactMap { now in
      guard let then = counts[now.key] else { return now }
      var difference = now
      difference.count -= min(now.count, then.count)
      difference.totalNanoseconds -= min(now.totalNanoseconds, then.totalNanoseconds)
      return difference.count == 0 ? nil : difference
    }
    return change
  }
}

/// What was counted of one call.
public struct SyscallTotals: Sendable, Hashable {
  /// The call.
  public var call: Syscall
  /// How often it was recorded: returned, or still inside, or never to return.
  public var count: UInt64 = 0
  /// How often it returned.
  public var returns: UInt64 = 0
  /// How often it failed.
  public var errors: UInt64 = 0
  /// Returns of calls that were entered before recording began, or while they were not wanted.
  public var enteredBefore: UInt64 = 0
  /// Returns of new threads from the call that made them, which they never entered.
  public var threadStarts: UInt64 = 0
  /// Time inside the call, in nanoseconds, of those that returned.
  public var totalNanoseconds: UInt64 = 0
  /// The longest.
  public var maximumNanoseconds: UInt64 = 0
  /// Durations of those that returned.
  public var histogram = SyscallHistogram()

  /// Nothing of a call.
  public init(_ call: Syscall) { self.call = call }

  /// Recorded and not returned: threads still inside, threads that were killed inside, `exit_group`.
  public var unreturned: UInt64 { count - min(count, returns) }

  /// The mean duration in nanoseconds.
  public var meanNanoseconds: UInt64 { returns == 0 ? 0 : totalNanoseconds / returns }

  /// The duration that this share of the calls does not exceed, never above the longest.
  public func quantile(_ share: Double) -> UInt64? {
    histogram.quantile(share).map { min($0, maximumNanoseconds) }
  }

  var isEmpty: Bool { count == 0 && enteredBefore == 0 && threadStarts == 0 }

  /// The longest is kept: it is not known when it was.
  func since(_ earlier: SyscallTotals) -> SyscallTotals {
    var change = self
    change.count -= min(count, earlier.count)
    change.returns -= min(returns, earlier.returns)
    change.errors -= min(errors, earlier.errors)
    change.enteredBefore -= min(enteredBefore, earlier.enteredBefore)
    change.threadStarts -= min(threadStarts, earlier.threadStarts)
    change.totalNanoseconds -= min(totalNanoseconds, earlier.totalNanoseconds)
    change.histogram.subtract(earlier.histogram)
    return change
  }
}

/// Who made calls.
public enum SyscallOwner: Sendable, Hashable {
  /// Everybody.
  case all
  /// A process: its id, a number that tells apart processes with the same id, and its last name.
  case process(id: Int32, start: UInt32, command: String)
  /// A cgroup: its id and its path below the mount point; nil when it is gone.
  case cgroup(id: UInt64, path: String?)
}

/// One cell of the matrix.
public struct SyscallCount: Sendable, Hashable {
  /// How the call ended.
  public enum Outcome: Sendable, Hashable {
    /// It succeeded.
    case success
    /// It failed with an errno.
    case error(Int32)
    /// It is one of those that never return.
    case neverReturned
  }

  /// Who.
  public var owner: SyscallOwner
  /// What.
  public var call: Syscall
  /// With which result.
  public var outcome: Outcome
  /// How often.
  public var count: UInt64
  /// For how long altogether, in nanoseconds.
  public var totalNanoseconds: UInt64

  struct Key: Hashable {
    var owner: SyscallOwner
    var call: Syscall
    var outcome: Outcome
  }
  var key: Key { Key(owner: owner, call: call, outcome: outcome) }
}

/// The durations of one call of one process or cgroup, by powers of two.
public struct SyscallOwnerHistogram: Sendable, Hashable {
  /// Who.
  public var owner: SyscallOwner
  /// What.
  public var call: Syscall
  /// Below 64 ns, then one for each power of two up to 2^38 ns, then beyond.
  public var counts: [UInt64]
}

/// A thread inside a call.
public struct WaitingCall: Sendable, Hashable {
  /// The process.
  public var process: Int32
  /// The thread.
  public var thread: Int32
  /// The thread's name.
  public var command: String
  /// The call.
  public var call: Syscall
  /// For how long already, in nanoseconds; nil when it was inside before the tracer was there.
  public var nanoseconds: UInt64?
}

/// What was lost, by place. All zero unless something was too small.
public struct SyscallLosses: Sendable, Hashable {
  /// Calls whose start found no room; they are not in the totals.
  public var threads: UInt64 = 0
  /// Calls that are in the totals and found no room in the matrix.
  public var keys: UInt64 = 0
  /// The same for histograms by owner.
  public var histograms: UInt64 = 0
  /// Events that found the buffer full.
  public var events: UInt64 = 0
  /// Times the kernel did not run a program because it was running already.
  public var missedRuns: UInt64 = 0
  /// Texts longer than an event has room for.
  public var cutTexts: UInt64 = 0
  /// Stacks deeper than an event has room for.
  public var cutStacks: UInt64 = 0
  /// Events that were sent.
  public var eventsSent: UInt64 = 0
  /// Events that were left out to save: calls shorter than
  /// ``TracerEconomy/minimumEventNanoseconds``. They are in the totals.
  public var eventsSpared: UInt64 = 0
  /// Calls that no event was wanted of, by ``SyscallTracerConfiguration/eventRule``. They are in the
  /// totals.
  public var eventsUnwanted: UInt64 = 0
  /// Records that are not what they should be.
  public var malformed: UInt64 = 0
  /// Started processes that could not be followed.
  public var unfollowed: UInt64 = 0

  /// Nothing lost.
  public init() {}
}
