public import Profiles

/// Where the time of threads went, every address named.
public struct WallProfile: Sendable {
  /// The stacks. Values are `waits` in `count` and `off_cpu` in `nanoseconds`; with
  /// ``WallProfilerConfiguration/Coverage/wall`` `events` in `count` and `wall` in `nanoseconds`.
  ///
  /// The leaf of a stack off the CPU is the state it was in: ``ThreadState/label``. With wakers there may
  /// be more above it: a frame ``WallWake/separator``, the waker's stack upside down, and who it was, as
  /// `offwaketime` has them. The time on the CPU of each thread is exact; how it divides among the stacks
  /// is by samples.
  public var profile: Profile
  /// Waits with who ended them, most time first; none without
  /// ``WallProfilerConfiguration/recordsWakers``. They are in ``profile`` as well.
  public var wakes: [WallWake]
  /// The time of each thread, most time first.
  public var threads: [ThreadTimes]
  /// What was recorded and lost. An event is an interval: blocked, or waiting for a CPU; or a sample.
  public var statistics: TracerStatistics
  /// What recording cost.
  public var overhead: TracerOverhead
  /// The hooks in use.
  public var hooks: [TracerHook]
  /// Samples a second on each CPU; nil where none were taken.
  public var frequency: Int?
  /// Times a thread left a CPU.
  public var switches: UInt64
  /// Of them, those where the kernel did not show when the thread had come onto its CPU, as some do
  /// after threads that they hide; known then from the kernel's account of how long it ran.
  public var inferredSwitches: UInt64
  /// Nanoseconds that are in ``threads`` and not in the stacks, for want of room.
  public var unplacedNanoseconds: UInt64
  /// Threads that are not in ``threads`` for want of room, and their nanoseconds.
  public var lostThreads: (count: UInt64, nanoseconds: UInt64)
  /// How walks by unwind table ended; nil where frame pointers were followed.
  public var walks: StackWalks?
  /// Distinct frames that got no name.
  public var unresolvedFrames: Int
  /// What became of the distinct addresses, in one line.
  public var symbolSummary: String
  /// The machine's name.
  public var host: String
  /// The kernel's release.
  public var kernelRelease: String
}
