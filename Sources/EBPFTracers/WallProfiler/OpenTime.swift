internal import EBPF

/// The part of a thread's time that the kernel has not counted yet: the wait before its present run, the
/// run, or the wait it is in.
///
/// The kernel counts when a thread leaves the CPU. What is open at the end is closed here, by the same
/// rules as in bpf-objects/bpf/wall_switch.h.
struct OpenTime {
  /// A stretch of time in one state.
  struct Interval: Equatable {
    var state: ThreadState
    var nanoseconds: UInt64
  }

  /// The wait, with the stacks it began in: blocked, then runnable; without empty intervals.
  private(set) var wait: [Interval] = []
  /// The run after it.
  private(set) var running: UInt64 = 0
  /// The wait began before recording did.
  private(set) var beganBefore = false

  /// Nothing is open.
  init() {}

  /// What is open at `end`, in recorded time.
  init(_ event: WallThreadEvent, end: UInt64) {
    let record = event.record
    let isMet = record.left != 0
    let left = isMet ? record.left : 1
    let state = isMet ? record.state : OpenTime.stateBefore(event)
    guard state != WallThreadEvent.dead else { return }
    if record.arrived != 0 {
      let arrived = max(record.arrived, left)
      addWait(from: left, to: arrived, woken: record.woken, state: state, hasEnded: true)
      running = end > arrived ? end - arrived : 0
    } else if state == ThreadState.running.rawValue {
      running = end > left ? end - left : 0
    } else {
      addWait(from: left, to: max(end, left), woken: record.woken, state: state, hasEnded: false)
    }
    beganBefore = !isMet
  }

  /// What a thread did before the first thing that happened to it.
  private static func stateBefore(_ event: WallThreadEvent) -> UInt32 {
    let record = event.record
    if record.before != 0 { return record.before }
    // Nobody looked at its beginning: what it does now it has done all the time, unless something
    // has happened.
    if record.arrived != 0 { return record.woken != 0 ? ThreadState.other.rawValue : 0 }
    if event.flags & WallThreadEvent.Flags.onCPU != 0 { return ThreadState.running.rawValue }
    return event.state
  }

  private mutating func addWait(
    from: UInt64, to end: UInt64, woken: UInt64, state: UInt32, hasEnded: Bool
  ) {
    let state = ThreadState(rawValue: state) ?? .woken
    var turn = from
    if state.isBlocked {
      // A wake-up that is older belongs to an earlier wait, unless this one has ended already: then it
      // came while the thread was on its way to sleep.
      turn = woken > from ? min(woken, end) : hasEnded ? from : end
      add(state, turn - from)
    }
    add(state == .preempted ? .preempted : .woken, end - turn)
  }

  private mutating func add(_ state: ThreadState, _ nanoseconds: UInt64) {
    guard nanoseconds > 0 else { return }
    wait.append(Interval(state: state, nanoseconds: nanoseconds))
  }
}
