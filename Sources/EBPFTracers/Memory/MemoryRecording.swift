public import Profiles

/// What a memory tracer recorded, every address named.
public struct MemoryRecording: Sendable {
  /// What the allocator did. All zero without ``MemoryTracerConfiguration/Allocations``.
  public var totals: MemoryTotals
  /// True where processes picked allocations themselves and told of them by the static probes
  /// `otel_memory:alloc` and `otel_memory:free`: figures are what they say that their picks stand for.
  public var usesStaticProbes: Bool
  /// The mean distance between picked bytes; nil when every allocation was recorded, or processes picked
  /// them.
  public var sampleBytes: UInt64?
  /// Blocks that were allocated while recording and not freed, the largest first; of sampled
  /// allocations those that were picked.
  public var blocks: [MemoryBlock]
  /// Where things happened, the most bytes first.
  public var sites: [MemorySite]
  /// The processes that were seen, those that grew most first.
  public var processes: [ProcessGrowth]
  /// Processes that ended and are not among ``processes``, since there were more than
  /// ``MemoryTracerConfiguration/endedLimit``. Blocks and sites of theirs have no command name.
  public var otherProcesses: EndedProcessTotals
  /// 32-bit programs that ran before their mappings were watched: those they made until then are missing.
  /// Watching begins with the first such program that is seen, since every system call of the machine
  /// takes longer from then on.
  public var unwatchedPrograms: UInt64
  /// The processes that the kernel killed for want of memory, in order.
  public var victims: [MemoryVictim]
  /// How walks of user stacks by unwind table ended, each stack as often as it was taken; nil where
  /// frame pointers were followed.
  public var walks: StackWalks?
  /// Frames of such walks that were found by frame pointer, in code without a table.
  public var guessedFrames: UInt64
  /// The stacks that blocks and sites refer to. Values are `alloc_objects`, `alloc_space`,
  /// `inuse_objects` and `inuse_space` when allocations were recorded, otherwise `page_faults`,
  /// `mapped_space` and `fault_space`.
  public var profile: Profile
  /// What was recorded and lost.
  public var statistics: TracerStatistics
  /// What recording cost.
  public var overhead: TracerOverhead
  /// The hooks in use.
  public var hooks: [TracerHook]
  /// Distinct frames that got no name.
  public var unresolvedFrames: Int
  /// What became of the distinct addresses, in one line.
  public var symbolSummary: String
  /// The machine's name.
  public var host: String
  /// The kernel's release.
  public var kernelRelease: String
}

/// What the allocator did, in numbers.
///
/// Exact unless sampled: `allocations = frees + active + released + replaced + untracked`. With
/// sampling the first six are unbiased estimates, the others count what was picked.
public struct MemoryTotals: Sendable, Hashable {
  /// Successful calls that gave out a block.
  public var allocations: UInt64 = 0
  /// The bytes they were asked for.
  public var allocatedBytes: UInt64 = 0
  /// Frees of such blocks, `realloc` included.
  public var frees: UInt64 = 0
  /// The bytes of those blocks.
  public var freedBytes: UInt64 = 0
  /// Such blocks in use.
  public var activeAllocations: UInt64 = 0
  /// The bytes of those blocks.
  public var currentBytes: UInt64 = 0

  /// Blocks that were freed while recording was paused or their process filtered out.
  public var released: UInt64 = 0
  /// Blocks whose address was given out again although no free was seen.
  public var replaced: UInt64 = 0
  /// Allocations that found the table of blocks full: they are counted, but whether they were freed
  /// is not known, nor are they among the blocks in use.
  public var untracked: UInt64 = 0
  /// The bytes of those.
  public var untrackedBytes: UInt64 = 0
  /// Frees of blocks that are not known: allocated before the start, or untracked.
  public var unknownFrees: UInt64 = 0
  /// Calls of `free(NULL)`, where the probe sees them.
  public var nullFrees: UInt64 = 0
  /// Calls that gave out nothing.
  public var failures: UInt64 = 0
  /// Calls that the allocator made of its own functions.
  public var nested: UInt64 = 0
  /// Calls that never returned.
  public var abandoned: UInt64 = 0

  /// Nothing happened.
  public init() {}
}

/// A block in use.
public struct MemoryBlock: Sendable, Hashable {
  /// Its address.
  public var address: UInt64
  /// The bytes that were asked for.
  public var size: UInt64
  /// How long it has been in use, in nanoseconds.
  public var age: UInt64
  /// The process it belongs to.
  public var process: Int32
  /// The thread that allocated it.
  public var thread: Int32
  /// The process's command name.
  public var command: String
  /// True when the process has ended without freeing it.
  public var isOfEndedProcess: Bool
  /// Index into ``Profiles/Profile/stacks`` of the recording's profile.
  public var stack: Int
}

/// A place where memory is asked for.
public struct MemorySite: Sendable, Hashable {
  /// What happens there.
  public enum Kind: String, Sendable, Hashable {
    /// The allocator gives out blocks.
    case allocation
    /// Pages are touched first.
    case fault
    /// `mmap` or `mremap`.
    case map
    /// `brk` moves the program break up.
    case programBreak = "brk"
  }

  /// What happens.
  public var kind: Kind
  /// In which process.
  public var process: Int32
  /// Its command name.
  public var command: String
  /// Index into ``Profiles/Profile/stacks`` of the recording's profile.
  public var stack: Int
  /// How often; an estimate where sampled.
  public var count: UInt64
  /// The bytes; for faults, pages times the page size.
  public var bytes: UInt64
  /// Of the blocks, how many are in use.
  public var activeCount: UInt64
  /// Of the bytes, how many are in use.
  public var activeBytes: UInt64
}

/// How a process grew.
public struct ProcessGrowth: Sendable, Hashable {
  /// The process id in the initial namespace.
  public var process: Int32
  /// The command name.
  public var command: String
  /// The id of its cgroup (v2) when it was first seen.
  public var cgroup: UInt64
  /// True when it ran before recording began.
  public var isExisting: Bool
  /// True when it ended, or became another program, while recording.
  public var hasEnded: Bool
  /// Resident bytes when recording began; 0 for a process that started later.
  public var residentBefore: UInt64
  /// Resident bytes when recording ended, or the last that the kernel told of an ended process.
  public var residentAfter: UInt64
  /// The most that the kernel told; before Linux 6.2 exact, since then it lags by a batch of pages
  /// for each CPU.
  public var residentPeak: UInt64
  /// Page faults of user memory.
  public var faults: UInt64
  /// Successful `mmap` calls, and `mremap` calls that grew.
  public var maps: UInt64
  /// Their bytes.
  public var mappedBytes: UInt64
  /// Successful `munmap` calls, and `mremap` calls that shrank.
  public var unmaps: UInt64
  /// Their bytes.
  public var unmappedBytes: UInt64
  /// By how much the program break moved, up less down.
  public var breakBytes: Int64

  /// By how much resident memory changed.
  public var growth: Int64 {
    Int64(clamping: residentAfter).subtractingReportingOverflow(Int64(clamping: residentBefore))
      .partialValue
  }
}

/// Processes that are not told apart any more, summed.
public struct EndedProcessTotals: Sendable, Hashable {
  /// How many they are.
  public var processes: UInt64 = 0
  /// Their page faults of user memory.
  public var faults: UInt64 = 0
  /// Their successful `mmap` calls, and `mremap` calls that grew.
  public var maps: UInt64 = 0
  /// The bytes of those.
  public var mappedBytes: UInt64 = 0
  /// Their successful `munmap` calls, and `mremap` calls that shrank.
  public var unmaps: UInt64 = 0
  /// The bytes of those.
  public var unmappedBytes: UInt64 = 0
  /// By how much their program breaks moved, up less down.
  public var breakBytes: Int64 = 0

  /// None.
  public init() {}
}

/// A process that the kernel killed because memory had run out.
public struct MemoryVictim: Sendable, Hashable {
  /// A moment of its last seconds.
  public struct Point: Sendable, Hashable {
    /// Nanoseconds before it was chosen.
    public var before: UInt64
    /// Resident bytes at that moment.
    public var residentBytes: UInt64
  }

  /// The process id.
  public var process: Int32
  /// The command name; empty when the process was not recorded.
  public var command: String
  /// When it was chosen, in nanoseconds since 1970.
  public var time: UInt64
  /// Resident anonymous bytes.
  public var anonymousBytes: UInt64
  /// Resident bytes of files.
  public var fileBytes: UInt64
  /// Resident shared bytes.
  public var sharedBytes: UInt64
  /// How it grew, oldest first.
  public var history: [Point]
}
