import EBPF
import EBPFSystem

/// Something that takes part in a recording: the control socket, the terminal's keys, a clock.
///
/// All of them are called on the recording's own thread, one after the other, and should return soon:
/// recording goes on in the kernel meanwhile, but nobody else is served.
protocol RecordingPart: AnyObject {
  /// Something the part waits for has happened. It may add and take out descriptors, set clocks, and
  /// end the recording with ``RecordingLoop/end()``. An error thrown ends the recording as well, and
  /// is the command's error.
  func wake(_ cause: RecordingLoop.Cause, in loop: RecordingLoop) throws(EBPFError)
  /// The recording has ended, by whatever: time to give things back that others need now.
  func ended()
}

extension RecordingPart {
  func ended() {}
}

/// The one wait of a recording, for descriptors and clocks that any part may add.
///
/// ```swift
/// let loop = try RecordingLoop()
/// try loop.watch(keyboard, for: view)
/// loop.setClock(every: 1, for: view)
/// try loop.run(seconds: 10)
/// ```
final class RecordingLoop {
  /// Why a part is called.
  enum Cause: Hashable {
    /// This descriptor is readable, or its other end is gone.
    case readable(Int32)
    /// The part's clock has struck.
    case clock
  }

  private struct Clock {
    let part: any RecordingPart
    let interval: Double
    var next: Double
  }

  private let waits: WaitSet
  private var descriptors: [Int32: any RecordingPart] = [:]
  private var clocks: [ObjectIdentifier: Clock] = [:]
  private let begin = ContinuousClock.now
  private(set) var hasEnded = false

  /// An empty loop.
  init() throws(EBPFError) {
    waits = try RecordingLoop.system("epoll_create1") { () throws(Errno) in try WaitSet() }
  }

  /// Wakes the part whenever the descriptor is readable. The part keeps it open, and takes it out
  /// before it closes it.
  func watch(_ descriptor: Int32, for part: any RecordingPart) throws(EBPFError) {
    try RecordingLoop.system("epoll_ctl") { () throws(Errno) in
      try waits.add(descriptor, tag: UInt64(UInt32(bitPattern: descriptor)))
    }
    descriptors[descriptor] = part
  }

  /// Wakes nobody for this descriptor any more.
  func unwatch(_ descriptor: Int32) throws(EBPFError) {
    guard descriptors.removeValue(forKey: descriptor) != nil else { return }
    try RecordingLoop.system("epoll_ctl") { () throws(Errno) in try waits.remove(descriptor) }
  }

  /// Wakes the part every so many seconds, beginning one interval from now; nil stops its clock. A
  /// part has one clock; setting it again starts it anew.
  ///
  /// When the time was missed because somebody took long, the clock strikes once and goes on from
  /// there.
  func setClock(every seconds: Double?, for part: any RecordingPart) {
    clocks[ObjectIdentifier(part)] = seconds.map {
      Clock(part: part, interval: $0, next: elapsed + $0)
    }
  }

  /// Seconds since the loop was made.
  var elapsed: Double { begin.duration(to: .now).seconds }

  /// Lets ``run(seconds:)`` return as soon as the part that runs now has returned. All parts are told
  /// at once, once.
  func end() {
    guard !hasEnded else { return }
    hasEnded = true
    var told: Set<ObjectIdentifier> = []
    for part in Array(descriptors.values) + clocks.values.map(\.part)
    where told.insert(ObjectIdentifier(part)).inserted { part.ended() }
  }

  /// Waits and wakes, until ``end()`` or for so many seconds.
  func run(seconds: Double? = nil) throws(EBPFError) {
    defer { end() }
    let deadline = seconds.map { elapsed + $0 }
    while !hasEnded {
      try strikeClocks()
      let now = elapsed
      if hasEnded || deadline.map({ now >= $0 }) ?? false { return }
      let next = (clocks.values.map(\.next) + (deadline.map { [$0] } ?? [])).min()
      for descriptor in try wait(next.map { max($0 - now, 0) }) where !hasEnded {
        // Taken out by a part that was woken before it.
        guard let part = descriptors[descriptor] else { continue }
        try part.wake(.readable(descriptor), in: self)
      }
    }
  }

  private func strikeClocks() throws(EBPFError) {
    for key in clocks.keys.sorted() where !hasEnded {
      let now = elapsed
      guard let clock = clocks[key], clock.next <= now else { continue }
      clocks[key]?.next = max(clock.next + clock.interval, now)
      try clock.part.wake(.clock, in: self)
    }
  }

  /// The readable descriptors, at the latest after so many seconds.
  private func wait(_ seconds: Double?) throws(EBPFError) -> [Int32] {
    // Never longer than a minute at once: a number of milliseconds has 31 bits.
    let milliseconds = seconds.map { Int32((min($0, 60) * 1000).rounded(.up)) } ?? -1
    let ready = try RecordingLoop.system("epoll_wait") { () throws(Errno) in
      try waits.wait(milliseconds: milliseconds)
    }
    return ready.map { Int32(bitPattern: UInt32(truncatingIfNeeded: $0)) }
  }

  /// Makes an error of a failed system call.
  static func system<Result: ~Copyable>(
    _ call: String, _ body: () throws(Errno) -> Result
  ) throws(EBPFError) -> Result {
    do throws(Errno) { return try body() } catch {
      throw EBPFError(
        .system, "\(call) failed",
        systemCall: .init(call: call, errno: error.rawValue, name: error.name))
    }
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
