public import Profiles

/// What a CPU profiler recorded, every address named.
public struct CPUProfile: Sendable {
  /// The samples: values are `samples` in `count` and `cpu` in `nanoseconds`.
  public var profile: Profile
  /// What was recorded and lost.
  public var statistics: TracerStatistics
  /// What recording cost.
  public var overhead: TracerOverhead
  /// The hooks in use.
  public var hooks: [TracerHook]
  /// Samples a second on each CPU.
  public var frequency: Int
  /// How many CPUs were sampled.
  public var processors: Int
  /// How walks by unwind table ended; nil where frame pointers were followed.
  public var walks: StackWalks?
  /// Frames that walks by unwind table found by frame pointer, where no row was known.
  public var guessedFrames: UInt64
  /// How the two ways of walking compare; nil unless that was asked for.
  public var comparison: UnwindComparison?
  /// Samples whose user stack ends early: in code that has neither frame pointers nor a table.
  public var brokenStacks: UInt64
  /// What processes told of themselves and of the spans their threads were at work on.
  public var contexts: ContextStatistics
  /// Distinct frames that got no name.
  public var unresolvedFrames: Int
  /// What became of the distinct addresses, in one line.
  public var symbolSummary: String
  /// The machine's name.
  public var host: String
  /// The kernel's release.
  public var kernelRelease: String
}

/// A moment of a recording: what ``CPUProfiler/snapshot(since:)`` had counted then.
public struct CPUProfileMark: Sendable {
  let samples: [SampleIdentity: UInt64]
}
