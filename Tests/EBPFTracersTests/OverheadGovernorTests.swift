import Testing

@testable import EBPFTracers

@Suite struct OverheadGovernorTests {
  private static let all = OverheadGovernor.Means(sendsEvents: true, takesStacks: true)
  private static let limit = 0.01

  private func governor(
    _ means: OverheadGovernor.Means = OverheadGovernorTests.all
  ) -> OverheadGovernor { OverheadGovernor(limit: Self.limit, means: means) }

  /// One window of a second that cost so many times the limit.
  private func window(_ governor: inout OverheadGovernor, _ cost: Double) -> TracerEconomy? {
    governor.observe(
      nanoseconds: 1_000_000_000, cost: UInt64(cost * Self.limit * 1e9))?.economy
  }

  @Test func `it gives up short events, then events, then stacks, then everything`() {
    let ladder = governor().ladder
    #expect(ladder[0] == TracerEconomy())
    #expect(ladder[1...3].map(\.minimumEventNanoseconds) == [100_000, 1_000_000, 10_000_000])
    #expect(ladder[1...3].allSatisfy { $0.sampling == 1 && $0.takesStacks })
    #expect(ladder[4...11].map(\.sampling) == [2, 4, 8, 16, 32, 64, 128, 256])
    #expect(ladder[4...11].allSatisfy { $0.takesStacks && !$0.isSuspended })
    #expect(!ladder[12].takesStacks && ladder[12].sampling == 256 && !ladder[12].isSuspended)
    #expect(ladder[13].isSuspended && ladder.count == 14)
  }

  @Test func `it gives up only what there is`() {
    let ladder = governor(.init(sendsEvents: false, takesStacks: false)).ladder
    #expect(ladder.count == 10)
    #expect(ladder.allSatisfy { $0.takesStacks && $0.minimumEventNanoseconds == 0 })
    #expect(ladder.last?.isSuspended == true)
    let parts = [
      OverheadGovernor.Means(sendsEvents: true, takesStacks: false),
      OverheadGovernor.Means(sendsEvents: false, takesStacks: true),
    ]
    #expect(parts[0] + parts[1] == Self.all)
  }

  @Test func `a little too much is one step, much too much is several at once`() {
    var one = governor()
    #expect(window(&one, 1.1) == one.ladder[1])
    var some = governor()
    // 8 times the limit: three halvings bring it below.
    #expect(window(&some, 8) == some.ladder[3])
    var many = governor()
    #expect(window(&many, 1e9) == many.ladder[12], "everything but suspension")
    #expect(window(&many, 1.1) == many.ladder[13])
    #expect(window(&many, 1e9) == nil, "there is nothing left")
  }

  @Test func `it comes back step by step, after some cheap windows on end`() {
    var governor = governor()
    _ = window(&governor, 8)
    let start = governor.level
    for level in (0..<start).reversed() {
      #expect(window(&governor, 0.1) == nil)
      #expect(window(&governor, 0.1) == nil)
      #expect(window(&governor, 0.1) == governor.ladder[level])
    }
    for _ in 0..<100 { #expect(window(&governor, 0.1) == nil) }
    #expect(governor.level == 0)
  }

  @Test func `between half the limit and the limit nothing moves`() {
    var governor = governor()
    _ = window(&governor, 8)
    for cost in [0.5, 0.75, 1.0, 0.9] {
      for _ in 0..<50 { #expect(window(&governor, cost) == nil) }
    }
    // They also begin the count anew.
    #expect(window(&governor, 0.1) == nil && window(&governor, 0.1) == nil)
    #expect(window(&governor, 0.6) == nil)
    #expect(window(&governor, 0.1) == nil && window(&governor, 0.1) == nil)
    #expect(window(&governor, 0.1) != nil)
  }

  @Test func `a step back that was too early doubles the wait, up to a bound`() {
    var governor = governor()
    _ = window(&governor, 1.1)
    var waits: [Int] = []
    for _ in 0..<8 {
      var wait = 1
      while window(&governor, 0.1) == nil { wait += 1 }
      waits.append(wait)
      #expect(window(&governor, 1.1) == governor.ladder[1])
    }
    #expect(waits == [3, 6, 12, 24, 48, 96, 96, 96])
  }

  @Test func `what has held for long makes it patient no more`() {
    var governor = governor()
    _ = window(&governor, 1.1)
    while window(&governor, 0.1) == nil {}
    _ = window(&governor, 1.1)
    while window(&governor, 0.1) == nil {}
    for _ in 0..<100 { #expect(window(&governor, 0.1) == nil) }
    _ = window(&governor, 1.1)
    #expect(window(&governor, 0.1) == nil && window(&governor, 0.1) == nil)
    #expect(window(&governor, 0.1) == governor.ladder[0])
  }

  @Test func `a suspended tracer is tried again`() {
    var governor = governor()
    _ = window(&governor, 1e9)
    _ = window(&governor, 2)
    #expect(governor.economy.isSuspended)
    #expect(window(&governor, 0) == nil && window(&governor, 0) == nil)
    #expect(window(&governor, 0) == governor.ladder[12])
  }

  @Test func `a window of no time is none`() {
    var governor = governor()
    #expect(governor.observe(nanoseconds: 0, cost: 1_000_000) == nil)
    #expect(governor == OverheadGovernor(limit: Self.limit, means: Self.all))
  }

  @Test func `steps are told with their time, the latest hundred of them`() {
    var governor = governor()
    _ = window(&governor, 0.2)
    _ = window(&governor, 1.5)
    #expect(governor.steps.count == 1 && governor.steps[0].time == 2_000_000_000)
    #expect(abs(governor.steps[0].cost - 0.015) < 1e-9 && abs(governor.worst - 0.015) < 1e-9)
    while governor.stepCount < 250 { _ = window(&governor, governor.level == 0 ? 1.5 : 0) }
    #expect(governor.steps.count == 100)
    #expect(governor.steps.last?.time == governor.time)
  }

  /// Every sequence of seven windows of five kinds, from the bottom and from the top of the ladder.
  @Test(arguments: [false, true])
  func `whatever the windows are, each step has its reason`(fromTop: Bool) {
    let kinds = [0, 0.49, 0.8, 1.5, 40]
    let length = 7
    var sequences = 1
    for _ in 0..<length { sequences *= kinds.count }
    var failures = 0
    for number in 0..<sequences {
      var governor = governor()
      if fromTop {
        _ = window(&governor, 1e9)
        _ = window(&governor, 2)
      }
      var rest = number
      var calm = 0
      for _ in 0..<length {
        let kind = kinds[rest % kinds.count]
        rest /= kinds.count
        let before = governor.level
        let economy = window(&governor, kind)
        calm = kind < 0.5 ? calm + 1 : 0
        let top = governor.ladder.count - 1
        var isRight = (economy == nil) == (before == governor.level)
        if let economy { isRight = isRight && economy == governor.ladder[governor.level] }
        switch governor.level - before {
        case 0: isRight = isRight && (kind <= 1 || before == top)
        case 1...:
          isRight = isRight && kind > 1 && (governor.level < top || before == top - 1)
        case -1:
          isRight = isRight && calm >= 3
          calm = 0
        default: isRight = false
        }
        if !isRight { failures += 1 }
      }
    }
    #expect(failures == 0)
  }
}
