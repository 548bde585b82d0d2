/// Where a thread, or a process, was.
public enum ThreadState: UInt32, Sendable, Hashable, CaseIterable {
  /// On a CPU.
  case running = 1
  /// It could run, but had to leave its CPU to others.
  case preempted
  /// It could run, but others did: since it was woken, or started.
  case woken
  /// It waited for something and could be interrupted (`S`).
  case sleeping
  /// It waited for something and could not be interrupted (`D`).
  case uninterruptible
  /// It waited for input or output, as the kernel accounts it (iowait).
  case inputOutput
  /// A signal or a debugger had stopped it (`T`, `t`).
  case stopped
  /// A kernel thread with nothing to do (`I`).
  case idle
  /// Parked, frozen, or not known.
  case other

  /// True where it could have run, had there been a CPU.
  public var isRunnable: Bool { self == .preempted || self == .woken }
  /// True where it waited for something else than a CPU.
  public var isBlocked: Bool { self != .running && !isRunnable }

  /// What a flame graph calls it.
  public var label: String {
    switch self {
    case .running: "[running]"
    case .preempted: "[runnable: preempted]"
    case .woken: "[runnable: woken]"
    case .sleeping: "[blocked: sleeping]"
    case .uninterruptible: "[blocked: uninterruptible]"
    case .inputOutput: "[blocked: input/output]"
    case .stopped: "[blocked: stopped]"
    case .idle: "[blocked: idle]"
    case .other: "[blocked: other]"
    }
  }
}

/// The time of one thread while recording went on, to the nanosecond.
///
/// ``running``, ``runnable`` and ``blocked`` together are the time that the thread was there.
public struct ThreadTimes: Sendable, Hashable {
  /// The process id, in the initial namespace.
  public var process: Int32
  /// The thread id; 0 for a sum over threads.
  public var thread: Int32
  /// The thread's command name.
  public var command: String
  /// True for a thread of the kernel.
  public var isKernelThread = false
  /// It was there before recording began.
  public var existedBefore = false
  /// It ended while recording went on.
  public var hasEnded = false
  /// Times it left the CPU because it had to wait.
  public var voluntarySwitches: UInt64 = 0
  /// Times it left the CPU because others wanted it.
  public var involuntarySwitches: UInt64 = 0
  private var times = InlineArray<10, UInt64>(repeating: 0)

  /// No time yet.
  init(process: Int32, thread: Int32, command: String) {
    self.process = process
    self.thread = thread
    self.command = command
  }

  /// Nanoseconds in a state.
  public internal(set) subscript(state: ThreadState) -> UInt64 {
    get { times[Int(state.rawValue)] }
    set { times[Int(state.rawValue)] = newValue }
  }

  /// Nanoseconds on a CPU.
  public var running: UInt64 { self[.running] }
  /// Nanoseconds in which it could run, but others did.
  public var runnable: UInt64 { sum(\.isRunnable) }
  /// Nanoseconds in which it waited for something.
  public var blocked: UInt64 { sum(\.isBlocked) }
  /// All of it: the time that the thread was there, in nanoseconds.
  public var wall: UInt64 { running &+ runnable &+ blocked }

  private func sum(_ isMeant: (ThreadState) -> Bool) -> UInt64 {
    ThreadState.allCases.reduce(0) { isMeant($1) ? $0 &+ self[$1] : $0 }
  }

  /// Adds what another thread, or another part of the same, has.
  mutating func add(_ other: ThreadTimes) {
    for state in ThreadState.allCases { self[state] &+= other[state] }
    voluntarySwitches &+= other.voluntarySwitches
    involuntarySwitches &+= other.involuntarySwitches
  }

  /// The sums over each process, in the order in which they come first.
  public static func byProcess(_ threads: [ThreadTimes]) -> [ThreadTimes] {
    var places: [Int32: Int] = [:]
    var sums: [ThreadTimes] = []
    for thread in threads {
      if let place = places[thread.process] {
        if thread.thread == thread.process { sums[place].command = thread.command }
        sums[place].existedBefore = sums[place].existedBefore || thread.existedBefore
        sums[place].hasEnded = sums[place].hasEnded && thread.hasEnded
        sums[place].add(thread)
      } else {
        places[thread.process] = sums.count
        sums.append(thread)
        sums[sums.count - 1].thread = 0
      }
    }
    return sums
  }

  /// Whether whose time it is, and all figures, are the same.
  public static func == (left: ThreadTimes, right: ThreadTimes) -> Bool {
    left.identity == right.identity && left.figures == right.figures
  }

  /// The same for equal values.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(identity)
    hasher.combine(figures)
  }

  private var identity: [Int32] { [process, thread, existedBefore ? 1 : 0, hasEnded ? 1 : 0] }
  private var figures: [UInt64] {
    ThreadState.allCases.map { self[$0] } + [voluntarySwitches, involuntarySwitches]
  }
}
