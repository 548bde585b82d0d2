public import EBPF

/// What every tracer can do, in one life: start, pause, resume, stop.
///
/// A tracer is used once. `start` is all or nothing: when one attachment fails, everything done
/// before it is undone and the error is thrown.
public protocol Tracer: Sendable {
  /// What ``stop()`` returns.
  associatedtype Result: Sendable

  /// Loads and attaches; from here on events are recorded.
  func start() throws(EBPFError)
  /// Detaches, unloads and returns what was recorded.
  func stop() throws(EBPFError) -> Result
  /// Records nothing until ``resume()``; stays loaded and attached.
  func pause() throws(EBPFError)
  /// Records again. The time spent paused is not part of the result's duration.
  func resume() throws(EBPFError)
  /// What was recorded and what was lost so far.
  func statistics() throws(EBPFError) -> TracerStatistics
  /// What the tracer itself has cost so far.
  func overhead() throws(EBPFError) -> TracerOverhead
  /// True between ``pause()`` and ``resume()``.
  var isPaused: Bool { get }
  /// Time the kernel spent in the tracer's programs so far; nil where it is not measured. Much cheaper
  /// than ``overhead()``; refused before start and after stop.
  func kernelNanoseconds() throws(EBPFError) -> UInt64?
  /// Changes whose events are recorded from now on, in the kernel.
  func setFilter(_ filter: TracerFilter) throws(EBPFError)
  /// Leaves out what costs too much from now on, in the kernel; refused before start and after stop.
  func economize(_ economy: TracerEconomy) throws(EBPFError)
}

/// What a tracer recorded and what it lost, stage by stage.
///
/// `seen = recorded + dropped + unwanted` holds exactly once the tracer is stopped or paused.
public struct TracerStatistics: Sendable, Hashable {
  /// Events the kernel side saw.
  public var seen: UInt64 = 0
  /// Events that are in the result.
  public var recorded: UInt64 = 0
  /// Events lost because a map or a buffer was full.
  public var dropped: UInt64 = 0
  /// Events left out on purpose: filtered, idle, paused, over the limit.
  public var unwanted: UInt64 = 0
  /// Events left out because the limit on their number was reached; part of ``unwanted``.
  public var capped: UInt64 = 0
  /// Events passed over because only one in so many is picked; part of ``unwanted``. Those that were
  /// picked stand for them in every sum.
  public var sampledOut: UInt64 = 0
  /// Recorded events whose stack is incomplete: too deep, or its addresses were lost.
  public var truncated: UInt64 = 0
  /// Records from the kernel that were not what they should be: part of what was recorded may be
  /// missing from the result.
  public var malformed: UInt64 = 0
  /// Processes that were started and should have been followed, but could not be: what they did is
  /// nowhere. No event of ``seen``.
  public var unfollowed: UInt64 = 0
  /// Recorded time, pauses left out, in nanoseconds.
  public var recordedNanoseconds: UInt64 = 0
  /// From `start` to the first recorded event, in nanoseconds; nil before there is one.
  public var firstEventNanoseconds: UInt64?

  /// Creates statistics of nothing.
  public init() {}
}

/// What a tracer costs, each figure measured; nil with a reason where it could not be.
public struct TracerOverhead: Sendable, Hashable {
  /// Processor time of this process since start, in percent of one CPU.
  public var cpuPercent: Double
  /// Resident memory of this process, in bytes.
  public var residentBytes: UInt64
  /// Memory the kernel holds for the tracer's maps, in bytes.
  public var mapBytes: UInt64?
  /// Time the kernel spent in the tracer's programs, in nanoseconds (`BPF_ENABLE_STATS`).
  public var kernelNanoseconds: UInt64?
  /// How often the tracer's programs ran.
  public var kernelRuns: UInt64?
  /// From an event in the kernel to its arrival here: the median, in nanoseconds.
  public var latencyMedian: UInt64?
  /// The same, for the slowest event in a hundred.
  public var latencyP99: UInt64?
  /// Why figures are missing, one sentence for each.
  public var unavailable: [String]
  /// What the kernel counted of each of the tracer's programs while it measured (`BPF_ENABLE_STATS`),
  /// whoever had it measure.
  public var programs: [ProgramRuns] = []
}

/// How often one BPF program ran while the kernel measured, and how long.
public struct ProgramRuns: Sendable, Hashable {
  /// The kernel's id, as `bpftool prog show` lists it.
  public var id: UInt32
  /// The name that the kernel keeps, 15 bytes at most.
  public var name: String
  /// The program type: `tracing`.
  public var type: String
  /// When it was loaded, in nanoseconds since boot.
  public var loadTime: UInt64
  /// How often it ran.
  public var count: UInt64
  /// How long altogether, in nanoseconds.
  public var nanoseconds: UInt64
}
