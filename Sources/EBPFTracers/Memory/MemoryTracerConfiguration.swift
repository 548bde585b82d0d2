/// What a memory tracer records.
///
/// Growth (page faults, mappings, the program break, resident pages, out-of-memory kills) is always
/// recorded: it costs next to nothing. ``allocations`` adds the allocator's functions, each call of
/// which then costs a microsecond or more.
public struct MemoryTracerConfiguration: Sendable, Hashable {
  /// Whether calls of the allocator are recorded, and how many of them.
  public enum Allocations: Sendable, Hashable {
    /// None.
    case none
    /// Every one: totals and the list of blocks in use are exact.
    case exact
    /// One allocated byte in so many, picked at random. Totals are unbiased estimates: an allocation
    /// of `size` bytes is picked with probability p = 1 − exp(−size / mean) and stands for 1 / p
    /// allocations. The standard error of a sum of bytes is at most √(mean × bytes + Σ size²).
    ///
    /// Processes that pick allocations themselves, and tell of them by the static probes (USDT)
    /// `otel_memory:alloc(block, size, weighted bytes)` and `otel_memory:free(block)`, are taken at their
    /// word instead, where all that will be recorded have them: then no call of the allocator is looked at.
    case sampled(bytes: UInt64)
  }

  /// Which allocator.
  public struct Allocator: Sendable, Hashable {
    /// Files whose functions are probed, instead of those that the process has mapped.
    public var objects: [String] = []
    /// What the functions' names begin with: `je_`, `mi_`, `tc_`.
    public var prefix = ""
    /// The allocator that a process uses by the standard names.
    public init() {}
  }

  /// The mean that ``Allocations/sampled(bytes:)`` is usually given: 512 KiB.
  public static let usualSampleBytes: UInt64 = 512 << 10
  /// The means that can be asked for.
  public static let sampleBytes: ClosedRange<UInt64> = 1...(1 << 33)

  /// Whether calls of the allocator are recorded.
  public var allocations = Allocations.none
  /// Which allocator.
  public var allocator = Allocator()
  /// Whose events are recorded.
  public var filter = TracerFilter()
  /// Takes the stack of one page fault in so many, on average; 0 takes none.
  public var faultPeriod: UInt32 = 16
  /// Takes no stacks at all: totals by process only, at less cost.
  public var takesStacks = true
  /// How user stacks are walked. By tables only where ``allocations`` are recorded or ``filter`` names
  /// processes: the tables of every program of the machine would cost more than its growth does.
  public var unwinding = CPUProfilerConfiguration.Unwinding.automatic
  /// The memory for unwind tables in the kernel, in bytes, as ``CPUProfilerConfiguration/unwindBytes``.
  public var unwindBytes = 8 << 20
  /// Records this process too.
  public var includesSelf = false
  /// How many blocks in use are remembered; those that find no room are counted.
  public var blockLimit: UInt32 = 262_144
  /// How many different places are told apart in the kernel; those that find no room go through the
  /// ring, and 65,536 of them are told apart outside. Events of more are lost, and counted.
  public var siteLimit: UInt32 = 65_536
  /// Bytes of the ring through which the kernel sends stacks and processes, a power of two and whole pages;
  /// what finds it full is counted. Memory of this process too.
  public var eventBufferBytes: UInt32 = 4 << 20
  /// How many processes that have ended are told apart; where there are more, those that grew least
  /// are only summed (``MemoryRecording/otherProcesses``). Each takes about 250 bytes.
  public var endedLimit: UInt32 = 12_000
  /// Nanoseconds between two points of a process's history, of which the last 32 are kept.
  public var historyInterval: UInt64 = 250_000_000

  /// Growth of every process but this one.
  public init() {}
}
