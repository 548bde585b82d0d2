import EBPFSystem
import Glibc
import Synchronization
import Testing

@Suite struct PollerTests {
  /// Both ends of a pipe.
  private func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    try #require(Glibc.pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  private func send(_ descriptor: Int32) {
    var byte: UInt8 = 1
    #expect(write(descriptor, &byte, 1) == 1)
  }

  @Test func `a handler runs as long as there is something to read`() throws {
    let poller = try Poller()
    let (input, output) = try pipe()
    defer {
      close(input)
      close(output)
    }
    let calls = Counter()
    let registration = try poller.add(input) {
      if calls.increment() == 3 { poller.stop() }
    }
    send(output)
    try poller.run()
    #expect(calls.value == 3)
    poller.remove(registration)
    poller.remove(registration)
  }

  @Test func `turns keep the pace that was asked for`() throws {
    let pace: UInt64 = 2_000_000
    let poller = try Poller(pace: pace)
    let (input, output) = try pipe()
    defer {
      close(input)
      close(output)
    }
    let calls = Counter()
    _ = try poller.add(input) {
      if calls.increment() == 11 { poller.stop() }
    }
    send(output)
    let begin = Clock.monotonic.now
    try poller.run()
    #expect(Clock.monotonic.now - begin >= 10 * pace)
    #expect(calls.value == 11)
  }

  @Test func `once means once, until it is armed again`() throws {
    let poller = try Poller()
    let (input, output) = try pipe()
    defer {
      close(input)
      close(output)
    }
    let calls = Counter()
    let registration = try poller.add(input, readiness: .once) { calls.increment() }
    let ticks = Counter()
    let timer = try poller.addTimer(nanoseconds: 1_000_000) {
      if ticks.increment() == 5 { poller.stop() }
    }
    send(output)
    try poller.run()
    #expect(calls.value == 1)
    // What is ready when it is armed counts.
    try poller.rearm(registration)
    ticks.reset()
    try poller.run()
    #expect(calls.value == 2)
    poller.remove(timer)
  }

  @Test func `a stop before the start ends at once, and the poller can run again`() throws {
    let poller = try Poller()
    poller.stop()
    try poller.run()
    let timer = try poller.addTimer(nanoseconds: 1, repeats: false) { poller.stop() }
    try poller.run()
    poller.remove(timer)
  }

  @Test func `after remove returns, the handler is not running and never runs again`() throws {
    let poller = try Poller()
    try poller.start()
    defer { poller.stop() }
    for _ in 0..<50 {
      let (input, output) = try pipe()
      let (acknowledged, acknowledge) = try pipe()
      let running = Counter()
      let calls = Counter()
      // Nobody empties the pipe, so the handler is called again and again.
      send(output)
      let registration = try poller.add(input) {
        running.increment()
        if calls.increment() == 1 {
          var byte: UInt8 = 1
          _ = write(acknowledge, &byte, 1)
        }
        running.decrement()
      }
      #expect(try Readiness.wait(for: [acknowledged], timeout: .seconds(30)))
      poller.remove(registration)
      #expect(running.value == 0)
      let atRemoval = calls.value
      for descriptor in [input, output, acknowledged, acknowledge] { close(descriptor) }
      #expect(calls.value == atRemoval)
    }
  }

  @Test func `a handler may remove itself`() throws {
    let poller = try Poller()
    let (input, output) = try pipe()
    defer {
      close(input)
      close(output)
    }
    let held = Mutex<Poller.Registration?>(nil)
    let calls = Counter()
    let registration = try poller.add(input) {
      calls.increment()
      if let registration = held.withLock({ $0 }) { poller.remove(registration) }
    }
    held.withLock { $0 = registration }
    let timer = try poller.addTimer(nanoseconds: 2_000_000) { poller.stop() }
    send(output)
    try poller.run()
    #expect(calls.value == 1)
    poller.remove(timer)
  }
}

/// A counter that threads share.
private final class Counter: Sendable {
  private let number = Atomic<Int>(0)
  var value: Int { number.load(ordering: .acquiring) }
  @discardableResult
  func increment() -> Int { number.add(1, ordering: .acquiringAndReleasing).newValue }
  func decrement() { number.subtract(1, ordering: .acquiringAndReleasing) }
  func reset() { number.store(0, ordering: .releasing) }
}
