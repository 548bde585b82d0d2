/// An ``OverheadGovernor`` for a cost that comes in bursts: it is judged by its average over an interval.
///
/// What is done once an interval, making profiles and requests of what was recorded, does not get
/// cheaper by recording less for a second. A value without clocks, as the governor is.
package struct AveragedOverheadGovernor: Sendable, Hashable {
  private var governor: OverheadGovernor
  private let interval: Double
  /// The share of a CPU, averaged with weights that fall by e in an interval; from zero after each step.
  package private(set) var average = 0.0

  /// - Parameter interval: nanoseconds.
  package init(limit: Double, means: OverheadGovernor.Means, interval: UInt64) {
    governor = OverheadGovernor(limit: limit, means: means)
    self.interval = Double(max(1, interval))
  }

  /// The limit, as a share of one CPU.
  package var limit: Double { governor.limit }

  /// What is in force.
  package var economy: TracerEconomy { governor.economy }

  /// Takes note of a window of time in which so much CPU time was used, in nanoseconds.
  ///
  /// - Returns: what to do now; nil to go on as before.
  package mutating func observe(nanoseconds: UInt64, cost: UInt64) -> OverheadGovernor.Step? {
    guard nanoseconds > 0 else { return nil }
    let time = Double(nanoseconds)
    let share = Double(cost) / time
    average += (share - average) * min(1, time / interval)
    // A window that the average does not confirm is no reason to leave out more, nor less.
    let bound = average > limit ? share : min(share, limit)
    let step = governor.observe(nanoseconds: nanoseconds, cost: UInt64(bound * time))
    if step != nil { average = 0 }
    return step
  }
}
