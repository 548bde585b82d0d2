internal import EBPFSystem

/// What a system call tracer records.
public struct SyscallTracerConfiguration: Sendable, Hashable {
  /// Whose line of the matrix a call is in.
  public enum Grouping: Sendable, Hashable {
    /// Only totals of the machine; errors are still kept by call and errno.
    case none
    /// By process, and by the moment it began: a process id used again is another process.
    case process
    /// By cgroup (version 2).
    case cgroup
  }

  /// Whose calls are recorded; changeable by ``SyscallTracer/setFilter(_:)``.
  public var filter = TracerFilter()
  /// Which calls are recorded; changeable by ``SyscallTracer/filterSyscall(_:enabled:)``.
  public var selection = SyscallSelection()
  /// Which results are recorded; changeable by ``SyscallTracer/setResultFilter(_:)``.
  public var results = SyscallResultFilter()
  /// Who the calls are told apart by.
  public var grouping = Grouping.process
  /// How many combinations of process (or cgroup), call and errno there is room for; a call that
  /// finds none is counted as dropped. Each takes about 90 bytes in the kernel.
  public var keys = 65_536
  /// Keeps a histogram for each process (or cgroup) and call as well, about 340 bytes each.
  public var histogramsByOwner = false
  /// Sends recorded calls with their arguments, see ``SyscallTracer/readEvents(limit:_:)``.
  public var sendsEvents = false
  /// With events: which calls are sent; nil for all. Acts in the kernel: what it leaves out takes no
  /// room in the buffer, and is counted and timed all the same.
  public var eventRule: SyscallEventRule?
  /// The size of the buffer for events, in bytes: a power of two of at least a page.
  public var eventBufferBytes = 8 << 20
  /// With events: calls that fail or take at least this long carry the user stack that made them;
  /// nil for no stacks.
  public var stacksOver: UInt64?
  /// With events: each carries the span that its thread was at work on, where the process publishes it
  /// (OpenTelemetry's OTEP 4947; x86-64). Processes that come later are looked at when their 1st, 2nd,
  /// 4th … event is read; the events up to there have none.
  public var linksSpans = false
  /// Records this process too.
  public var includesSelf = false
  /// Switches the kernel's run-time statistics on (`BPF_ENABLE_STATS`) to know what the programs
  /// cost. Off, because that alone adds about as much to each call as counting it.
  public var measuresProgramTime = false

  /// Everything but this process, by process, without events.
  public init() {}

  /// Nothing but this process: for a service that watches itself.
  public static var thisProcess: SyscallTracerConfiguration {
    var configuration = SyscallTracerConfiguration()
    configuration.filter.processes = [CurrentProcess.id]
    configuration.includesSelf = true
    return configuration
  }
}

/// Of which system calls there is an event. One condition is enough.
public struct SyscallEventRule: Sendable, Hashable {
  /// Calls that fail.
  public var failed: Bool
  /// Calls that take at least so many nanoseconds; nil for none.
  public var minimumNanoseconds: UInt64?

  /// A rule; without conditions no call meets it.
  public init(failed: Bool = false, minimumNanoseconds: UInt64? = nil) {
    self.failed = failed
    self.minimumNanoseconds = minimumNanoseconds
  }

  /// True when a call can meet it.
  public var isAnyWanted: Bool { failed || minimumNanoseconds != nil }

  /// True for a call that meets it. Those that never return do not.
  public func wants(_ event: SyscallEvent) -> Bool {
    switch event.result {
    case .error where failed: true
    case .neverReturns: false
    case .value, .error: minimumNanoseconds.map { event.nanoseconds >= $0 } ?? false
    }
  }
}

/// Which results are recorded. All conditions must hold.
public struct SyscallResultFilter: Sendable, Hashable {
  /// Only calls that fail.
  public var failedOnly = false
  /// Only calls that fail with one of these numbers (1 to 4095); empty for any.
  public var errnos: Set<Int32> = []
  /// Only calls that take at least this long; 0 for all.
  public var minimumNanoseconds: UInt64 = 0

  /// Every result.
  public init() {}

  /// True when no result is left out.
  public var isEverything: Bool { !failedOnly && errnos.isEmpty && minimumNanoseconds == 0 }
}
