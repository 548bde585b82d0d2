/// How the time of threads is recorded.
public struct WallProfilerConfiguration: Sendable, Hashable {
  /// Which time has stacks in the profile.
  public enum Coverage: Sendable, Hashable {
    /// The time off the CPU: waiting for one, or for anything else.
    case offCPU
    /// All time, on the CPU and off it, each thread for itself.
    case wall
  }

  /// Which time has stacks. The figures of each thread are complete in both.
  public var coverage = Coverage.offCPU
  /// Samples a second on each CPU, for the stacks of time on the CPU: ``Coverage/wall`` only.
  public var frequency = 99
  /// Whose time is recorded.
  public var filter = TracerFilter()
  /// Which frames are recorded.
  public var stacks = CPUProfilerConfiguration.Stacks.both
  /// How user stacks are walked.
  public var unwinding = CPUProfilerConfiguration.Unwinding.automatic
  /// The memory for unwind tables in the kernel, in bytes; see
  /// ``CPUProfilerConfiguration/unwindBytes``.
  public var unwindBytes = 8 << 20
  /// Tells the threads of a process apart in the profile; ``Coverage/wall`` always does.
  public var separatesThreads = false
  /// Records who ended each wait: the thread that woke the blocked one, and its stacks. It costs a
  /// microsecond or so for each wake-up.
  public var recordsWakers = false
  /// Records this process too.
  public var includesSelf = false
  /// Waits shorter than this, in nanoseconds, are left out of the profile. They stay in the figures of
  /// their thread.
  public var minimumWait: UInt64 = 0

  /// How many different waits the kernel keeps; the others are sent one by one.
  package var tableEntries: UInt32 = 32768
  /// The size of the ring through which they are sent, in bytes: a power of two, at least a page.
  package var ringBytes: UInt32 = 4 << 20
  /// Reads the ring while recording, and not only at the end.
  package var readsRing = true
  /// Keeps threads in a table, as kernels before 5.18 need it.
  package var usesThreadTable = false

  /// The time off the CPU of everything but this process.
  public init() {}

  /// Whether keys name threads.
  var namesThreads: Bool { separatesThreads || coverage == .wall }
}
