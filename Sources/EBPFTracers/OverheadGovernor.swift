/// Keeps a tracer's cost below a limit: decides after each window of time what is left out.
///
/// A value without clocks: the caller measures a window, hands it over, and puts the economy of the
/// step that comes back in force.
///
/// - Above the limit it leaves out more at once: one step, or as many halvings as the cost needs.
///   Suspension comes only after everything else.
/// - Below half the limit for some windows on end it takes one step back, which at most doubles the
///   cost of a sampled tracer. When that turns out to be too much, it waits twice as long before the
///   next time.
public struct OverheadGovernor: Sendable, Hashable {
  /// What a tracer can do without.
  public struct Means: Sendable, Hashable {
    /// It sends events, which may be limited to those that take long.
    public var sendsEvents: Bool
    /// It takes stacks.
    public var takesStacks: Bool

    /// What a tracer can do without.
    public init(sendsEvents: Bool, takesStacks: Bool) {
      self.sendsEvents = sendsEvents
      self.takesStacks = takesStacks
    }

    /// What one of several can do without.
    public static func + (left: Means, right: Means) -> Means {
      Means(
        sendsEvents: left.sendsEvents || right.sendsEvents,
        takesStacks: left.takesStacks || right.takesStacks)
    }
  }

  /// What was left out from a moment on, and why.
  public struct Step: Sendable, Hashable {
    /// Nanoseconds of all windows up to here.
    public var time: UInt64
    /// What the last window cost, as a share of one CPU.
    public var cost: Double
    /// What is in force from now on.
    public var economy: TracerEconomy
  }

  /// The limit, as a share of one CPU: 0.01 is one percent.
  public let limit: Double
  /// What is left out at each level, more and more; nothing at the first.
  public let ladder: [TracerEconomy]
  /// The level in force.
  public private(set) var level = 0
  /// Nanoseconds of all windows.
  public private(set) var time: UInt64 = 0
  /// The steps that were taken; the oldest ones of more than ``stepLimit`` are gone.
  public private(set) var steps: [Step] = []
  /// How many steps were taken.
  public private(set) var stepCount = 0
  /// The most that a window has cost, as a share of one CPU.
  public private(set) var worst = 0.0

  /// How many steps are remembered.
  public static let stepLimit = 100
  /// Windows on end that must be cheap before a step back, at first and at most.
  static let patience = 3...96

  /// Windows on end that were cheap.
  private var calm = 0
  private var patience = OverheadGovernor.patience.lowerBound
  /// Windows since the last step back; nil when there was none, or a step up since.
  private var sinceStepBack: Int?

  /// Leaves out nothing yet.
  public init(limit: Double, means: Means) {
    precondition(limit > 0, "no tracer costs nothing")
    self.limit = limit
    ladder = Self.ladder(means)
  }

  /// What is in force.
  public var economy: TracerEconomy { ladder[level] }

  /// Shortest events first, then one event in 2, 4 … 256, then stacks, then everything.
  private static func ladder(_ means: Means) -> [TracerEconomy] {
    var economy = TracerEconomy()
    var ladder = [economy]
    if means.sendsEvents {
      for nanoseconds: UInt64 in [100_000, 1_000_000, 10_000_000] {
        economy.minimumEventNanoseconds = nanoseconds
        ladder.append(economy)
      }
    }
    for power in 1...8 {
      economy.sampling = 1 << UInt32(power)
      ladder.append(economy)
    }
    if means.takesStacks {
      economy.takesStacks = false
      ladder.append(economy)
    }
    economy.isSuspended = true
    return ladder + [economy]
  }

  /// Takes note of a window of time in which the tracer cost so much CPU time, in nanoseconds.
  ///
  /// - Returns: what to do now; nil to go on as before.
  public mutating func observe(nanoseconds: UInt64, cost: UInt64) -> Step? {
    guard nanoseconds > 0 else { return nil }
    time &+= nanoseconds
    let share = Double(cost) / Double(nanoseconds)
    worst = max(worst, share)
    sinceStepBack = sinceStepBack.map { $0 + 1 }
    if share > limit {
      calm = 0
      return climb(share)
    }
    guard share < limit / 2 else {
      calm = 0
      return nil
    }
    calm += 1
    // What has held for long was no mistake.
    if let windows = sinceStepBack, windows > 4 * patience {
      patience = Self.patience.lowerBound
      sinceStepBack = nil
    }
    guard level > 0, calm >= patience else { return nil }
    calm = 0
    sinceStepBack = 0
    return step(to: level - 1, share)
  }

  private mutating func climb(_ share: Double) -> Step? {
    let last = ladder.count - 1
    guard level < last else { return nil }
    if sinceStepBack != nil {
      patience = min(2 * patience, Self.patience.upperBound)
      sinceStepBack = nil
    }
    var rise = 1
    var excess = share / limit
    while excess >= 4, rise < ladder.count {
      rise += 1
      excess /= 2
    }
    return step(to: level == last - 1 ? last : min(level + rise, last - 1), share)
  }

  private mutating func step(to level: Int, _ share: Double) -> Step {
    self.level = level
    let step = Step(time: time, cost: share, economy: ladder[level])
    if steps.count == Self.stepLimit { steps.removeFirst() }
    steps.append(step)
    stepCount += 1
    return step
  }
}
