/// How much a tracer may leave out to cost less. Acts in the kernel, at any time.
///
/// What is left out is known: an event that is recorded while ``sampling`` is n stands for n in every
/// sum, so that sums stay unbiased estimates, and ``TracerStatistics`` tells how many were passed
/// over.
public struct TracerEconomy: Sendable, Hashable {
  /// One event in so many is recorded, picked at random, and counted as so many; 1 records all.
  public var sampling: UInt32 = 1
  /// Takes the stacks that the tracer is configured to take.
  public var takesStacks = true
  /// Sends only calls that take so long as events, in nanoseconds; they are counted all the same.
  public var minimumEventNanoseconds: UInt64 = 0
  /// Takes the costly hooks away: nothing is seen and nothing is spent.
  public var isSuspended = false

  /// Leaves nothing out.
  public init() {}

  /// Leaves out what is given.
  public init(
    sampling: UInt32, takesStacks: Bool = true, minimumEventNanoseconds: UInt64 = 0
  ) {
    self.sampling = sampling
    self.takesStacks = takesStacks
    self.minimumEventNanoseconds = minimumEventNanoseconds
  }

  /// Leaves out everything.
  public static let suspended = {
    var economy = TracerEconomy()
    economy.isSuspended = true
    return economy
  }()

  /// Leaves nothing out.
  public var isNone: Bool { self == TracerEconomy() }
}
