internal import EBPF
internal import EBPFSystem

// The Swift side of bpf-objects/bpf/wall_events.h, field by field; WallRecordsTests compares each with
// the object's BTF.

/// `enum profiler_key_bits`, the part in wall_events.h.
extension ProfilerKey.Flags {
  static let waitIsShort: UInt32 = 1 << 4
  static let stacksLeftOut: UInt32 = 1 << 5
  static let beganBefore: UInt32 = 1 << 6
  static let isWaker: UInt32 = 1 << 7
  static let stateShift: UInt32 = 8
}

extension ProfilerKey {
  /// The state that a wait is counted under.
  var threadState: ThreadState { ThreadState(rawValue: flags >> Flags.stateShift & 15) ?? .other }

  /// The key for the same stacks in a state.
  func inState(_ state: ThreadState) -> ProfilerKey {
    var key = self
    key.flags = flags & ~(15 << Flags.stateShift) | state.rawValue << Flags.stateShift
    return key
  }
}

/// The word of `wall_clock`.
enum WallClock {
  static let stopped: UInt64 = 1 << 63
}

/// `struct wait`.
struct WaitTotal: BitwiseCopyable, Sendable, Hashable {
  var nanoseconds: UInt64 = 0
  var count: UInt64 = 0
}

/// `struct wake_key`.
struct WakeKey: Hashable, BitwiseCopyable, Sendable {
  var blocked = ProfilerKey()
  var waker = ProfilerKey()
}

/// `struct thread_record`.
struct ThreadRecord: BitwiseCopyable, Sendable {
  var left: UInt64 = 0
  var arrived: UInt64 = 0
  var woken: UInt64 = 0
  var born: UInt64 = 0
  var ran: UInt64 = 0
  var image: UInt64 = 0
  var userStack = StackID()
  var kernelStack = StackID()
  var state: UInt32 = 0
  var keyFlags: UInt32 = 0
  var times = InlineArray<10, UInt64>(repeating: 0)
  var voluntary: UInt64 = 0
  var involuntary: UInt64 = 0
  var verdict: UInt32 = 0
  var before: UInt32 = 0
  var waker = ProfilerKey()
}

/// `struct wall_thread_event`.
struct WallThreadEvent: BitwiseCopyable, Sendable {
  var kind: UInt32 = 0
  var flags: UInt32 = 0
  var threadID: UInt32 = 0
  var state: UInt32 = 0
  var process = ProcessIdentity()
  var command = CommandName("")
  var record = ThreadRecord()

  /// `enum wall_thread_bits`.
  enum Flags {
    static let ended: UInt32 = 1 << 0
    static let wanted: UInt32 = 1 << 1
    static let kernelThread: UInt32 = 1 << 2
    static let onCPU: UInt32 = 1 << 3
    static let late: UInt32 = 1 << 4
  }

  /// `enum thread_state`: the one that ``ThreadState`` has not.
  static let dead: UInt32 = 15
}

/// `struct wall_counters`, one for each CPU.
struct WallCounters: BitwiseCopyable, Sendable {
  var firstEvent: UInt64 = 0
  var switches: UInt64 = 0
  var unwanted: UInt64 = 0
  var untracked: UInt64 = 0
  var inferred: UInt64 = 0
  var recorded: UInt64 = 0
  var overflowed: UInt64 = 0
  var dropped: UInt64 = 0
  var droppedTime: UInt64 = 0
  var recordsLost: UInt64 = 0
  var recordsTime: UInt64 = 0
  var threadsLost: UInt64 = 0

  /// The sum over CPUs; `firstEvent` is the earliest one.
  init(summing counters: [WallCounters]) {
    for cpu in counters {
      if cpu.firstEvent != 0, firstEvent == 0 || cpu.firstEvent < firstEvent {
        firstEvent = cpu.firstEvent
      }
      switches += cpu.switches
      unwanted += cpu.unwanted
      untracked += cpu.untracked
      inferred += cpu.inferred
      recorded += cpu.recorded
      overflowed += cpu.overflowed
      dropped += cpu.dropped
      droppedTime += cpu.droppedTime
      recordsLost += cpu.recordsLost
      recordsTime += cpu.recordsTime
      threadsLost += cpu.threadsLost
    }
  }
}
