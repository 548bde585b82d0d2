import EBPF
import EBPFSystem
import Testing

@testable import EBPFTracers

/// What the kernel has not counted yet when recording ends.
@Suite struct OpenTimeTests {
  private typealias Interval = OpenTime.Interval

  private func event(
    _ flags: UInt32 = 0, now: ThreadState = .sleeping, _ change: (inout ThreadRecord) -> Void
  ) -> WallThreadEvent {
    var event = WallThreadEvent()
    event.flags = flags
    event.state = now.rawValue
    change(&event.record)
    return event
  }

  @Test func `a thread that sleeps is blocked since it left its CPU`() {
    let open = OpenTime(
      event {
        $0.left = 100
        $0.woken = 90  // an earlier wait
        $0.state = ThreadState.sleeping.rawValue
      }, end: 500)
    #expect(open.wait == [Interval(state: .sleeping, nanoseconds: 400)])
    #expect(open.running == 0)
    #expect(!open.beganBefore)
  }

  @Test func `a thread that was woken waits for a CPU since then`() {
    let open = OpenTime(
      event {
        $0.left = 100
        $0.woken = 350
        $0.state = ThreadState.uninterruptible.rawValue
      }, end: 500)
    #expect(
      open.wait == [
        Interval(state: .uninterruptible, nanoseconds: 250),
        Interval(state: .woken, nanoseconds: 150),
      ])
  }

  @Test func `a thread that runs has waited before`() {
    let open = OpenTime(
      event {
        $0.left = 100
        $0.woken = 300
        $0.arrived = 320
        $0.state = ThreadState.sleeping.rawValue
      }, end: 500)
    #expect(
      open.wait == [
        Interval(state: .sleeping, nanoseconds: 200), Interval(state: .woken, nanoseconds: 20),
      ])
    #expect(open.running == 180)
  }

  @Test func `a thread that had to leave its CPU is runnable`() {
    let open = OpenTime(
      event {
        $0.left = 100
        $0.state = ThreadState.preempted.rawValue
      }, end: 500)
    #expect(open.wait == [Interval(state: .preempted, nanoseconds: 400)])
  }

  @Test func `a wake-up on the way to sleep leaves nothing blocked`() {
    let open = OpenTime(
      event {
        $0.left = 100
        $0.woken = 99
        $0.arrived = 130
        $0.state = ThreadState.sleeping.rawValue
      }, end: 200)
    #expect(open.wait == [Interval(state: .woken, nanoseconds: 30)])
    #expect(open.running == 70)
  }

  @Test func `nothing happened: it did all the time what it did when it was met`() {
    let sleeping = OpenTime(event { $0.before = ThreadState.inputOutput.rawValue }, end: 500)
    #expect(sleeping.wait == [Interval(state: .inputOutput, nanoseconds: 499)])
    #expect(sleeping.beganBefore)
    let running = OpenTime(event { $0.before = ThreadState.running.rawValue }, end: 500)
    #expect(running.wait.isEmpty)
    #expect(running.running == 499)
  }

  @Test func `nothing happened and nobody looked before: it is what it is now`() {
    let sleeping = OpenTime(event(now: .stopped) { _ in }, end: 500)
    #expect(sleeping.wait == [Interval(state: .stopped, nanoseconds: 499)])
    let running = OpenTime(event(WallThreadEvent.Flags.onCPU, now: .running) { _ in }, end: 500)
    #expect(running.running == 499)
  }

  @Test func `a thread that has ended has nothing open`() {
    let open = OpenTime(
      event {
        $0.left = 100
        $0.state = WallThreadEvent.dead
      }, end: 500)
    #expect(open.wait.isEmpty)
    #expect(open.running == 0)
  }

  @Test(arguments: [0, 1, 50, 100, 149, 150, 200, 499, 500, 600] as [UInt64])
  func `the parts add up to the time since it left, whenever it was woken`(woken: UInt64) {
    for state in ThreadState.allCases {
      for arrived in [0, 100, 150, 480] as [UInt64] {
        let open = OpenTime(
          event {
            $0.left = 100
            $0.woken = woken
            $0.arrived = arrived
            $0.state = state.rawValue
          }, end: 500)
        #expect(
          open.wait.reduce(0) { $0 + $1.nanoseconds } + open.running == 400,
          "\(state) \(arrived)")
      }
    }
  }

  @Test func `a number that is no state is a wait for a CPU, and never a crash`() {
    let open = OpenTime(
      event {
        $0.left = .max
        $0.arrived = 3
        $0.woken = .max
        $0.state = 99
      }, end: 5)
    #expect(open.running == 0)
    #expect(open.wait.isEmpty)
  }

  @Test(
    arguments: [
      (10, [1, 1, 1], [3, 3, 4]), (100, [3, 1], [75, 25]), (7, [0, 5], [0, 7]), (5, [], []),
      (.max, [.max, 0], [.max, 0]),
    ] as [(UInt64, [UInt64], [UInt64])])
  func `time is divided by samples without losing a nanosecond`(
    whole: UInt64, weights: [UInt64], parts: [UInt64]
  ) {
    #expect(WallAssembler.divide(whole, as: weights) == parts)
  }
}
