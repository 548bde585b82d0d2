import Testing

@testable import EBPFTracers

@Suite struct AveragedOverheadGovernorTests {
  private static let limit = 0.01
  private static let second: UInt64 = 1_000_000_000

  /// Averages over ten seconds; it can leave out events and stacks.
  private func governor(seconds: UInt64 = 10) -> AveragedOverheadGovernor {
    AveragedOverheadGovernor(
      limit: Self.limit, means: .init(sendsEvents: true, takesStacks: true),
      interval: seconds * Self.second)
  }

  /// One window that cost so many times the limit.
  private func window(
    _ governor: inout AveragedOverheadGovernor, _ cost: Double, seconds: UInt64 = 1
  ) -> OverheadGovernor.Step? {
    let time = seconds * Self.second
    return governor.observe(
      nanoseconds: time, cost: UInt64((cost * Self.limit * Double(time)).rounded()))
  }

  @Test func `each window moves the average by its share of the interval`() {
    var governor = governor()
    _ = window(&governor, 1)
    #expect(abs(governor.average - 0.1 * Self.limit) < 1e-12)
    _ = window(&governor, 0)
    #expect(abs(governor.average - 0.09 * Self.limit) < 1e-12)
    _ = window(&governor, 0.5, seconds: 5)
    #expect(abs(governor.average - (0.045 + 0.25) * Self.limit) < 1e-12)
  }

  @Test func `a burst once an interval is no reason for anything while it is not too large`() {
    var governor = governor()
    // 0.6 of the limit. Right after a burst the average is 0.6 / (1 − 0.9¹⁰), which is 0.92.
    for _ in 0..<100 {
      #expect(window(&governor, 6) == nil)
      for _ in 0..<9 { #expect(window(&governor, 0) == nil) }
    }
    #expect(governor.economy.isNone)
    // The governor alone would have stepped at once.
    var alone = OverheadGovernor(
      limit: Self.limit, means: .init(sendsEvents: true, takesStacks: true))
    let cost = UInt64(6 * Self.limit * Double(Self.second))
    #expect(alone.observe(nanoseconds: Self.second, cost: cost) != nil)
  }

  @Test func `twice the limit, window for window, is too much when the average says so`() {
    var governor = governor()
    // 2 (1 − 0.9ⁿ) is 0.94 after six windows and 1.04 after seven.
    for _ in 0..<6 { #expect(window(&governor, 2) == nil) }
    let step = window(&governor, 2)
    #expect(step.map { abs($0.cost - 2 * Self.limit) < 1e-9 } == true)
    #expect(step?.economy == governor.economy && !governor.economy.isNone)
  }

  @Test func `what was before a step is no reason for another`() {
    var governor = governor()
    for _ in 0..<7 { _ = window(&governor, 2) }
    let first = governor.economy
    #expect(governor.average == 0)
    for _ in 0..<6 { #expect(window(&governor, 2) == nil) }
    #expect(governor.economy == first)
    #expect(window(&governor, 2)?.economy == governor.economy && governor.economy != first)
  }

  @Test func `just below the limit nothing moves, and then one window is enough`() {
    var governor = governor()
    for _ in 0..<50 { #expect(window(&governor, 0.99) == nil) }
    #expect(governor.economy.isNone)
    #expect(window(&governor, 2) != nil)
  }

  @Test func `it takes a step back when windows are cheap on end, not between bursts`() {
    var governor = governor()
    for _ in 0..<7 { _ = window(&governor, 2) }
    let level = governor.economy
    // A burst every third window: the limit, as far as this counts, and never three cheap ones.
    for _ in 0..<20 {
      #expect(window(&governor, 0.1) == nil)
      #expect(window(&governor, 0.1) == nil)
      #expect(window(&governor, 1.5) == nil)
    }
    #expect(governor.economy == level)
    #expect(window(&governor, 0.1) == nil)
    #expect(window(&governor, 0.1) == nil)
    #expect(window(&governor, 0.1)?.economy.isNone == true)
  }

  @Test func `a window as long as the interval, or longer, is the average`() {
    for seconds: UInt64 in [10, 25] {
      var governor = governor()
      #expect(window(&governor, 0.9, seconds: seconds) == nil)
      #expect(abs(governor.average - 0.9 * Self.limit) < 1e-12)
      #expect(window(&governor, 1.1, seconds: seconds) != nil)
    }
    // And with no interval each window is.
    var none = governor(seconds: 0)
    #expect(window(&none, 1.1) != nil)
  }

  @Test func `no time tells nothing`() {
    var governor = governor()
    _ = window(&governor, 2)
    let before = governor
    #expect(governor.observe(nanoseconds: 0, cost: 1_000_000) == nil)
    #expect(governor == before)
  }
}
