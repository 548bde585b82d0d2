internal import EBPF
internal import EBPFSystem

/// What the wall profiler's part of the ring and its list of threads say, added up.
struct WallLedger: Sendable {
  /// Threads are told apart up to so many that ended; what the others did is in one sum for each
  /// process, or in the last resort in one for all.
  static let threadLimit = 65_536

  /// Waits that were not counted in the kernel because the table was full.
  private(set) var waits: [ProfilerKey: WaitTotal] = [:]
  /// The same for waits that somebody ended.
  private(set) var wakes: [WakeKey: WaitTotal] = [:]
  /// The times of threads that ended, and of those that are there.
  private(set) var threads: [Key: ThreadTimes] = [:]
  /// Intervals that were open at the end.
  private(set) var closed: UInt64 = 0

  /// A thread of one process; 0 where threads are not told apart any more.
  struct Key: Hashable, Sendable {
    var process: UInt32
    var start: UInt64
    var thread: UInt32
  }

  /// Takes a `struct wall_wait_event`; false when it is not one.
  mutating func addWait(_ record: RawSpan) -> Bool {
    guard let nanoseconds = record.integer(at: 8, as: UInt64.self, order: .host),
      let key = ProfilerKey(record: record, at: 16)
    else { return false }
    add(key, nanoseconds)
    return true
  }

  /// Takes a `struct wall_wake_event`; false when it is not one.
  mutating func addWake(_ record: RawSpan) -> Bool {
    guard let nanoseconds = record.integer(at: 8, as: UInt64.self, order: .host),
      let key = BitwiseBytes.load(WakeKey.self, from: record, at: 16)
    else { return false }
    add(key, WaitTotal(nanoseconds: nanoseconds, count: 1))
    return true
  }

  /// Takes a `struct wall_thread_event` of a thread that ended; false when it is not one.
  mutating func addEnded(_ record: RawSpan) -> Bool {
    guard let event = BitwiseBytes.load(WallThreadEvent.self, from: record, at: 0) else {
      return false
    }
    add(event, OpenTime())
    return true
  }

  /// Adds what the iterator listed at recorded time `end`.
  mutating func addLiving(
    _ bytes: [UInt8], end: UInt64, configuration: WallProfilerConfiguration
  ) {
    let size = MemoryLayout<WallThreadEvent>.stride
    for offset in stride(from: 0, through: bytes.count - size, by: size) {
      guard
        let event = BitwiseBytes.load(
          WallThreadEvent.self, from: bytes.span.rawBytes, at: offset)
      else { continue }
      addLiving(event, end: end, configuration: configuration)
    }
  }

  private mutating func addLiving(
    _ event: WallThreadEvent, end: UInt64, configuration: WallProfilerConfiguration
  ) {
    // One that nobody has waited for yet: its record came through the ring when it ended.
    guard event.record.state != WallThreadEvent.dead else { return }
    guard event.flags & WallThreadEvent.Flags.wanted != 0 else {
      // What it did while it was wanted.
      add(event, OpenTime())
      return
    }
    let open = OpenTime(event, end: end)
    add(event, open)
    let total = open.wait.reduce(0) { $0 + $1.nanoseconds }
    var key = ProfilerKey()
    key.process = event.process
    key.command = event.command
    key.threadID = configuration.namesThreads ? event.threadID : 0
    if event.flags & WallThreadEvent.Flags.kernelThread != 0 {
      key.flags |= ProfilerKey.Flags.kernelThread
    }
    if total < configuration.minimumWait {
      key.flags |= ProfilerKey.Flags.waitIsShort
    } else {
      key.process.image = event.record.image
      key.userStack = event.record.userStack
      key.kernelStack = event.record.kernelStack
      key.flags |= event.record.keyFlags
      if open.beganBefore { key.flags |= ProfilerKey.Flags.beganBefore }
    }
    let waker = event.record.waker
    for interval in open.wait {
      let wait = key.inState(interval.state)
      let total = WaitTotal(nanoseconds: interval.nanoseconds, count: 1)
      // Who is known belongs to a wait that has ended.
      if interval.state.isBlocked, waker.flags & ProfilerKey.Flags.isWaker != 0,
        key.flags & ProfilerKey.Flags.waitIsShort == 0
      {
        add(WakeKey(blocked: wait, waker: waker), total)
      } else {
        add(wait, total)
      }
      closed += 1
    }
  }

  /// Adds what the kernel counted.
  mutating func add(_ key: ProfilerKey, _ total: WaitTotal) {
    waits[key, default: WaitTotal()].nanoseconds &+= total.nanoseconds
    waits[key, default: WaitTotal()].count &+= total.count
  }

  /// Adds what the kernel counted with a waker.
  mutating func add(_ key: WakeKey, _ total: WaitTotal) {
    wakes[key, default: WaitTotal()].nanoseconds &+= total.nanoseconds
    wakes[key, default: WaitTotal()].count &+= total.count
  }

  private mutating func add(_ key: ProfilerKey, _ nanoseconds: UInt64) {
    add(key, WaitTotal(nanoseconds: nanoseconds, count: 1))
  }

  /// Adds a thread's counted time, and what was open.
  private mutating func add(_ event: WallThreadEvent, _ open: OpenTime) {
    var times = ThreadTimes(
      process: Int32(truncatingIfNeeded: event.process.processID),
      thread: Int32(truncatingIfNeeded: event.threadID), command: event.command.text)
    for state in ThreadState.allCases { times[state] = event.record.times[Int(state.rawValue)] }
    for interval in open.wait { times[interval.state] &+= interval.nanoseconds }
    times[.running] &+= open.running
    guard times.wall > 0 else { return }
    times.voluntarySwitches = event.record.voluntary
    times.involuntarySwitches = event.record.involuntary
    times.isKernelThread = event.flags & WallThreadEvent.Flags.kernelThread != 0
    times.existedBefore = event.record.born <= 1
    times.hasEnded = event.flags & WallThreadEvent.Flags.ended != 0
    var key = Key(
      process: event.process.processID, start: event.process.start, thread: event.threadID)
    if threads.count >= Self.threadLimit, threads[key] == nil {
      key.thread = 0
      times.thread = 0
      if threads.count >= 2 * Self.threadLimit, threads[key] == nil {
        key = Key(process: 0, start: 0, thread: 0)
        times = times.ofManyProcesses
      }
    }
    if threads[key] == nil { threads[key] = times } else { threads[key]?.add(times) }
  }
}

extension ThreadTimes {
  /// The same without saying whose it is.
  fileprivate var ofManyProcesses: ThreadTimes {
    var times = self
    times.process = 0
    times.thread = 0
    times.command = "[others]"
    return times
  }
}
