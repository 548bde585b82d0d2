import Testing

@testable import OTLPExporter

@Suite struct DeliveryQueueTests {
  private static let failure = DeliveryFailure(.status(503), "the receiver answers 503")

  private func limits(memory: Int = 100, spool: Int = 0) -> DeliveryQueue.Limits {
    var limits = DeliveryQueue.Limits()
    limits.memoryBytes = memory
    limits.spoolBytes = spool
    return limits
  }

  /// Gives the queue a request of so many items, ten bytes each.
  private func add(_ items: Int, to queue: inout DeliveryQueue) -> DeliveryQueue.Place {
    let bytes = [UInt8](repeating: 0, count: items * 10)
    let place = queue.place(itemCount: items, byteCount: bytes.count)
    switch place {
    case .memory(let id): queue.queued(id, itemCount: items, bytes: bytes)
    case .spool(let id): queue.stored(id, itemCount: items, byteCount: bytes.count)
    case .nowhere: break
    }
    return place
  }

  private func sent(_ queue: inout DeliveryQueue, now: Duration = .zero) -> Int? {
    guard case .send(let parcel) = queue.next(now: now) else { return nil }
    return parcel.itemCount
  }

  @Test func `requests leave in the order they came`() {
    var queue = DeliveryQueue(limits: limits())
    #expect(queue.next(now: .zero) == .wait(until: nil))
    for items in [1, 2, 3] { _ = add(items, to: &queue) }
    for items in [1, 2, 3] {
      #expect(sent(&queue) == items)
      _ = queue.finish(.delivered(rejected: 0, message: ""), now: .zero, fraction: 0)
    }
    #expect(queue.next(now: .zero) == .wait(until: nil))
    #expect(queue.statistics.sent == 6)
    #expect(queue.statistics.requests == 3)
    #expect(queue.statistics.queuedBytes == 0)
    #expect(queue.statistics.isBalanced)
  }

  @Test func `what comes when there is no room is dropped, what is there stays`() {
    var queue = DeliveryQueue(limits: limits())
    #expect(add(10, to: &queue) == .memory(1))
    #expect(add(1, to: &queue) == .nowhere(.queueFull))
    // What is being sent still has its room.
    #expect(sent(&queue) == 10)
    #expect(add(1, to: &queue) == .nowhere(.queueFull))
    _ = queue.finish(.delivered(rejected: 0, message: ""), now: .zero, fraction: 0)
    #expect(add(1, to: &queue) == .memory(2))
    #expect(queue.statistics.dropped == [.queueFull: 2])
    #expect(queue.statistics.produced == 13)
    #expect(queue.statistics.isBalanced)
  }

  @Test func `items can be limited as well as bytes`() {
    var limits = limits()
    limits.memoryItems = 3
    var queue = DeliveryQueue(limits: limits)
    #expect(add(3, to: &queue) == .memory(1))
    #expect(add(1, to: &queue) == .nowhere(.queueFull))
  }

  @Test func `a failed request waits, then goes first`() {
    var queue = DeliveryQueue(limits: limits())
    _ = add(1, to: &queue)
    _ = add(2, to: &queue)
    #expect(sent(&queue) == 1)
    let effects = queue.finish(.retry(Self.failure, after: nil), now: .zero, fraction: 0.5)
    #expect(effects.notices == [.failing(Self.failure)])
    #expect(queue.next(now: .zero) == .wait(until: .seconds(1)))
    #expect(queue.next(now: .milliseconds(999)) == .wait(until: .seconds(1)))
    #expect(sent(&queue, now: .seconds(1)) == 1)
    let again = queue.finish(
      .retry(Self.failure, after: .seconds(60)), now: .seconds(1), fraction: 0.5)
    #expect(again.notices.isEmpty)
    #expect(queue.next(now: .seconds(3)) == .wait(until: .seconds(61)))
    #expect(sent(&queue, now: .seconds(61)) == 1)
    let good = queue.finish(.delivered(rejected: 0, message: ""), now: .seconds(61), fraction: 0)
    #expect(good.notices == [.recovered(failures: 2)])
    #expect(sent(&queue, now: .seconds(61)) == 2)
    #expect(queue.statistics.retries == 2)
    #expect(queue.statistics.isBalanced)
  }

  @Test func `what is in memory is given up after the policy's limit`() {
    var queue = DeliveryQueue(limits: limits())
    _ = add(4, to: &queue)
    var now = Duration.zero
    for _ in 0..<100 where queue.statistics.queued > 0 {
      guard case .send = queue.next(now: now) else {
        now += .seconds(1)
        continue
      }
      _ = queue.finish(.retry(Self.failure, after: nil), now: now, fraction: 0.5)
    }
    while queue.statistics.queued > 0 {
      if case .send = queue.next(now: now) {
        _ = queue.finish(.retry(Self.failure, after: nil), now: now, fraction: 0.5)
      }
      now += .seconds(1)
    }
    #expect(queue.statistics.dropped == [.retriesExhausted: 4])
    #expect(now > .seconds(270) && now < .seconds(301))
    #expect(queue.statistics.isBalanced)
  }

  @Test func `what is on disk is never given up`() {
    var queue = DeliveryQueue(limits: limits(spool: 100))
    #expect(add(4, to: &queue) == .spool(1))
    var now = Duration.zero
    for _ in 0..<1000 {
      if case .send(let parcel) = queue.next(now: now) {
        #expect(parcel.bytes == nil)
        _ = queue.finish(.retry(Self.failure, after: nil), now: now, fraction: 0.5)
      }
      now += .seconds(10)
    }
    #expect(queue.statistics.spooled == 4)
    #expect(sent(&queue, now: now + .seconds(60)) == 4)
    let effects = queue.finish(.delivered(rejected: 1, message: "bad"), now: now, fraction: 0)
    #expect(effects.removed == 1)
    #expect(queue.statistics.sent == 3)
    #expect(queue.statistics.rejected == 1)
    #expect(queue.statistics.isBalanced)
  }

  @Test func `a full spool leaves memory, and a failing one too`() {
    var queue = DeliveryQueue(limits: limits(spool: 50))
    #expect(add(5, to: &queue) == .spool(1))
    #expect(add(5, to: &queue) == .memory(2))
    #expect(sent(&queue) == 5)
    _ = queue.finish(.delivered(rejected: 0, message: ""), now: .zero, fraction: 0)
    #expect(queue.place(itemCount: 5, byteCount: 50) == .spool(3))
    // The disk is full: 50 bytes of memory are free for it.
    #expect(queue.notStored(3, itemCount: 5, bytes: [UInt8](repeating: 0, count: 50)) == nil)
    #expect(queue.place(itemCount: 1, byteCount: 10) == .spool(4))
    #expect(queue.notStored(4, itemCount: 1, bytes: [UInt8](repeating: 0, count: 10)) == .queueFull)
    #expect(queue.statistics.spoolFailures == 2)
    #expect(queue.statistics.spooledBytes == 0)
    #expect(queue.statistics.isBalanced)
  }

  @Test func `refused and oversized requests are dropped at once`() {
    var queue = DeliveryQueue(limits: limits())
    for items in [1, 2, 3] { _ = add(items, to: &queue) }
    #expect(sent(&queue) == 1)
    let effects = queue.finish(.refused(Self.failure), now: .zero, fraction: 0)
    #expect(effects.notices == [.dropping(.refused, why: Self.failure.description)])
    #expect(sent(&queue) == 2)
    _ = queue.finish(.tooLarge(Self.failure), now: .zero, fraction: 0)
    #expect(sent(&queue) == 3)
    _ = queue.finish(.damaged(Self.failure), now: .zero, fraction: 0)
    #expect(queue.statistics.dropped == [.refused: 1, .tooLarge: 2, .encoding: 3])
    #expect(queue.statistics.isBalanced)
  }

  @Test func `one subject is told at most once a minute, however often it changes`() {
    var queue = DeliveryQueue(limits: limits(memory: 10_000))
    var notices: [Notice] = []
    for step in 0..<600 {
      _ = add(1, to: &queue)
      let now = Duration.milliseconds(100 * step)
      guard case .send = queue.next(now: now + .seconds(3600)) else { continue }
      let outcome: DeliveryOutcome =
        step % 2 == 0 ? .retry(Self.failure, after: nil) : .delivered(rejected: 1, message: "m")
      notices += queue.finish(outcome, now: now, fraction: 0.5).notices
    }
    // A minute of 600 changes: one line for each subject.
    #expect(
      notices == [
        .failing(Self.failure), .recovered(failures: 1), .rejecting(1, message: "m"),
      ])
  }

  @Test func `a rejection of more than there is counts what there is`() {
    var queue = DeliveryQueue(limits: limits())
    _ = add(2, to: &queue)
    _ = sent(&queue)
    _ = queue.finish(.delivered(rejected: .max, message: ""), now: .zero, fraction: 0)
    #expect(queue.statistics.rejected == 2)
    #expect(queue.statistics.isBalanced)
  }

  @Test func `parts take the place of a whole`() {
    var queue = DeliveryQueue(limits: limits(spool: 1000))
    _ = add(5, to: &queue)
    _ = add(1, to: &queue)
    #expect(sent(&queue) == 5)
    let first = queue.newID()
    let second = queue.newID()
    let effects = queue.replaceInFlight(by: [
      .init(id: first, itemCount: 2, byteCount: 30), .init(id: second, itemCount: 3, byteCount: 40),
    ])
    #expect(effects.removed == 1)
    #expect(sent(&queue) == 2)
    _ = queue.finish(.delivered(rejected: 0, message: ""), now: .zero, fraction: 0)
    #expect(sent(&queue) == 3)
    #expect(queue.statistics.spooledBytes == 50)
    #expect(queue.statistics.isBalanced)
  }

  @Test func `draining sends what waits and finishes at its deadline`() {
    var queue = DeliveryQueue(limits: limits())
    for items in [1, 2] { _ = add(items, to: &queue) }
    queue.drain(until: .seconds(10))
    #expect(sent(&queue) == 1)
    _ = queue.finish(.retry(Self.failure, after: .seconds(60)), now: .zero, fraction: 0)
    #expect(queue.next(now: .zero) == .wait(until: .seconds(10)))
    #expect(queue.next(now: .seconds(10)) == .finish)
    queue.stop()
    #expect(queue.statistics.dropped == [.shutdown: 3])
    #expect(queue.statistics.isBalanced)
    #expect(add(1, to: &queue) == .nowhere(.notRunning))
    #expect(queue.statistics.isBalanced)
    #expect(queue.next(now: .zero) == .finish)
  }

  @Test func `draining does not wait when all is safe on disk`() {
    var queue = DeliveryQueue(limits: limits(spool: 100))
    for items in [1, 2] { _ = add(items, to: &queue) }
    queue.drain(until: .seconds(10))
    #expect(sent(&queue) == 1)
    _ = queue.finish(.retry(Self.failure, after: nil), now: .zero, fraction: 0.5)
    #expect(queue.next(now: .zero) == .finish)
    queue.stop()
    #expect(queue.statistics.spooled == 3)
    #expect(queue.statistics.isBalanced)
  }

  @Test func `what an earlier process left comes first, and new numbers follow`() {
    var queue = DeliveryQueue(limits: limits(spool: 1000))
    queue.recovered(7, itemCount: 3, byteCount: 30)
    queue.recovered(9, itemCount: 4, byteCount: 40)
    #expect(add(1, to: &queue) == .spool(10))
    #expect(sent(&queue) == 3)
    #expect(queue.statistics.recovered == 7)
    #expect(queue.statistics.spooledBytes == 80)
    #expect(queue.statistics.isBalanced)
  }
}
