/// What a process tracer recorded, apart from the events that were read.
public struct ProcessRecording: Sendable {
  /// Events that had not been read when recording ended.
  public var unreadEvents: [ProcessEvent] = []
  /// Programs whose beginning was seen and whose end was not, in the order in which they began.
  public var running: [ProcessRun] = []
  /// What was recorded and lost. An event is a program that begins or a process that ends.
  public var statistics = TracerStatistics()
  /// Where losses happened.
  public var losses = ProcessLosses()
  /// What recording cost; nil in a snapshot.
  public var overhead: TracerOverhead?
  /// The hooks in use.
  public var hooks: [TracerHook] = []

  /// Nothing.
  public init() {}
}

/// What a process tracer lost, by place. All zero unless something was too small.
public struct ProcessLosses: Sendable, Hashable {
  /// Events that found the buffer full.
  public var events: UInt64 = 0
  /// Times the kernel did not run a program because it was running already.
  public var missedRuns: UInt64 = 0
  /// Paths longer than an event has room for.
  public var cutPaths: UInt64 = 0
  /// Programs with more arguments than an event has room for.
  public var cutArguments: UInt64 = 0
  /// Programs whose arguments could not be read.
  public var unreadArguments: UInt64 = 0
  /// Started processes that could not be followed.
  public var unfollowed: UInt64 = 0
  /// Records that are not what they should be.
  public var malformed: UInt64 = 0
  /// Programs that found no room among ``ProcessTracerConfiguration/programLimit``.
  public var untracked: UInt64 = 0
  /// Programs whose end was not seen, for it was lost, or left out by a pause or a filter.
  public var unended: UInt64 = 0

  /// Nothing lost.
  public init() {}
}
