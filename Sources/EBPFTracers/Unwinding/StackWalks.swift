/// How walks up user stacks by unwind tables ended, in samples.
///
/// The layout is that of `u64 walks[8]` of the kernel program, by `enum walk_end` of stack_walk.h.
public struct StackWalks: BitwiseCopyable, Sendable, Hashable {
  private var going: UInt64 = 0
  /// At the outermost frame.
  public private(set) var complete: UInt64 = 0
  /// Not begun: nothing was known about the process yet. Frame pointers were followed.
  public private(set) var noProcess: UInt64 = 0
  /// At an address outside of every mapping.
  public private(set) var noMapping: UInt64 = 0
  /// At an address that no row describes.
  public private(set) var noRow: UInt64 = 0
  /// At a rule that rows cannot hold.
  public private(set) var unsupported: UInt64 = 0
  /// At a stack that could not be read, or that does not grow.
  public private(set) var unreadable: UInt64 = 0
  /// At the limit of frames.
  public private(set) var tooDeep: UInt64 = 0

  /// None.
  public init() {}

  mutating func add(_ other: StackWalks) {
    going += other.going
    complete += other.complete
    noProcess += other.noProcess
    noMapping += other.noMapping
    noRow += other.noRow
    unsupported += other.unsupported
    unreadable += other.unreadable
    tooDeep += other.tooDeep
  }

  /// All of them.
  public var total: UInt64 { begun + noProcess }

  /// Walks that began: all but those of processes that nothing was known about.
  public var begun: UInt64 {
    complete + noMapping + noRow + unsupported + unreadable + tooDeep
  }

  /// Why walks did not reach the outermost frame, the most frequent reason first.
  public var failures: [(reason: String, count: UInt64)] {
    [
      ("were taken before the table was there", noProcess),
      ("left every known mapping", noMapping), ("came to code without a table", noRow),
      ("met a rule that tables cannot hold", unsupported),
      ("could not read the stack", unreadable), ("were too deep", tooDeep),
    ].filter { $0.1 > 0 }.sorted { $0.1 > $1.1 }
  }
}
