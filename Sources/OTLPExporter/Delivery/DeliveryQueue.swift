/// The requests of one signal that wait to be sent, as a value: no clock, thread, file or network.
///
/// What is there is kept and what comes when there is no room is dropped and counted, so that an
/// accepted request is only lost by a decision that ``DeliveryStatistics`` names.
struct DeliveryQueue: Sendable {
  struct Limits: Sendable, Hashable {
    /// The most bytes in memory.
    var memoryBytes = 32 << 20
    /// The most items in memory; nil when only bytes count.
    var memoryItems: Int?
    /// The most bytes on disk; 0 without a spool.
    var spoolBytes = 0
    var retry = RetryPolicy()
  }

  /// One request, waiting.
  struct Parcel: Sendable, Hashable {
    var id: UInt64
    var itemCount: Int
    var byteCount: Int
    /// The request as protobuf; nil when it is on disk.
    var bytes: [UInt8]?
    var firstFailure: Duration?

    var isSpooled: Bool { bytes == nil }
  }

  /// Where a new request goes.
  enum Place: Sendable, Hashable {
    case memory(UInt64)
    /// To be written to disk under this number, then ``stored(_:itemCount:byteCount:)``.
    case spool(UInt64)
    case nowhere(DropReason)
  }

  /// What the sender does next.
  enum Action: Sendable, Hashable {
    case send(Parcel)
    case wait(until: Duration?)
    case finish
  }

  /// What an outcome leads to outside of the queue.
  struct Effects: Sendable, Hashable {
    /// Remove this request's file.
    var removed: UInt64?
    var notices: [Notice] = []
  }

  private enum Phase: Hashable {
    case running
    case draining(until: Duration)
    case stopped
  }

  let limits: Limits
  private(set) var statistics = DeliveryStatistics()
  private var waiting = ParcelList()
  private var inFlight: Parcel?
  private var phase = Phase.running
  private var nextID: UInt64 = 1
  private var notBefore: Duration?
  /// Failures since the last request that was taken.
  private var failures = 0
  private var filter = NoticeFilter()
  private var hasAnnouncedFailure = false

  init(limits: Limits) { self.limits = limits }

  // MARK: - In

  /// Finds a place for a new request, and counts it as produced.
  mutating func place(itemCount: Int, byteCount: Int) -> Place {
    statistics.produced += itemCount
    return reserve(itemCount: itemCount, byteCount: byteCount)
  }

  private mutating func reserve(itemCount: Int, byteCount: Int) -> Place {
    guard phase != .stopped else {
      statistics.drop(itemCount, .notRunning)
      return .nowhere(.notRunning)
    }
    let id = nextID
    if limits.spoolBytes > 0, statistics.spooledBytes + byteCount <= limits.spoolBytes {
      nextID += 1
      statistics.spooled += itemCount
      statistics.spooledBytes += byteCount
      return .spool(id)
    }
    guard hasMemory(itemCount, byteCount) else {
      statistics.drop(itemCount, .queueFull)
      return .nowhere(.queueFull)
    }
    nextID += 1
    statistics.queued += itemCount
    statistics.queuedBytes += byteCount
    return .memory(id)
  }

  private func hasMemory(_ itemCount: Int, _ byteCount: Int) -> Bool {
    guard statistics.queuedBytes + byteCount <= limits.memoryBytes else { return false }
    guard let most = limits.memoryItems else { return true }
    return statistics.queued + itemCount <= most
  }

  /// A request for which ``place(itemCount:byteCount:)`` found room in memory.
  mutating func queued(_ id: UInt64, itemCount: Int, bytes: [UInt8]) {
    waiting.append(Parcel(id: id, itemCount: itemCount, byteCount: bytes.count, bytes: bytes))
  }

  /// A request that is on disk now.
  mutating func stored(_ id: UInt64, itemCount: Int, byteCount: Int) {
    waiting.append(Parcel(id: id, itemCount: itemCount, byteCount: byteCount))
  }

  /// A request that could not be written to disk: it stays in memory if it can. Returns the reason
  /// it was dropped for otherwise.
  mutating func notStored(_ id: UInt64, itemCount: Int, bytes: [UInt8]) -> DropReason? {
    statistics.spooled -= itemCount
    statistics.spooledBytes -= bytes.count
    statistics.spoolFailures += 1
    guard hasMemory(itemCount, bytes.count) else {
      statistics.drop(itemCount, .queueFull)
      return .queueFull
    }
    statistics.queued += itemCount
    statistics.queuedBytes += bytes.count
    queued(id, itemCount: itemCount, bytes: bytes)
    return nil
  }

  /// A request an earlier process left on disk.
  mutating func recovered(_ id: UInt64, itemCount: Int, byteCount: Int) {
    statistics.recovered += itemCount
    statistics.spooled += itemCount
    statistics.spooledBytes += byteCount
    nextID = max(nextID, id + 1)
    waiting.append(Parcel(id: id, itemCount: itemCount, byteCount: byteCount))
  }

  /// Counts items that never got as far as being bytes.
  mutating func lost(_ itemCount: Int, _ reason: DropReason) {
    statistics.produced += itemCount
    statistics.drop(itemCount, reason)
  }

  // MARK: - Out

  /// What to do at this moment. A parcel that is to be sent stays the queue's until
  /// ``finish(_:now:fraction:)``.
  mutating func next(now: Duration) -> Action {
    if phase == .stopped { return .finish }
    precondition(inFlight == nil, "one request at a time")
    var deadline: Duration?
    if case .draining(let until) = phase {
      guard !waiting.isEmpty, now < until else { return .finish }
      deadline = until
    }
    guard !waiting.isEmpty else { return .wait(until: nil) }
    if let notBefore, now < notBefore {
      // What is on disk is safe: no reason to wait for a receiver that is not there.
      if deadline != nil, waiting.isAllSpooled { return .finish }
      return .wait(until: min(notBefore, deadline ?? notBefore))
    }
    let parcel = waiting.removeFirst()
    inFlight = parcel
    statistics.requests += 1
    return .send(parcel)
  }

  /// Takes note of what became of the parcel in flight.
  ///
  /// - Parameter fraction: a random number from 0 to 1, for the jitter of a wait.
  mutating func finish(_ outcome: DeliveryOutcome, now: Duration, fraction: Double) -> Effects {
    guard var parcel = inFlight else { return Effects() }
    inFlight = nil
    switch outcome {
    case .delivered(let rejected, let message):
      let rejected = min(max(rejected, 0), parcel.itemCount)
      statistics.sent += parcel.itemCount - rejected
      statistics.rejected += rejected
      var notices = reached(now)
      if rejected > 0 || !message.isEmpty {
        notices += announced(.rejecting(rejected, message: message), now)
      }
      return gone(parcel, notices)
    case .deliveredUnreadably(let why):
      statistics.sent += parcel.itemCount
      statistics.unreadableAnswers += 1
      return gone(parcel, reached(now) + announced(.unreadable(why), now))
    case .retry(let failure, let retryAfter):
      failures += 1
      let delay = limits.retry.delay(
        failures: failures, fraction: fraction, retryAfter: retryAfter)
      notBefore = now + delay
      var notices = announcedFailure(failure, now)
      let start = parcel.firstFailure ?? now
      parcel.firstFailure = start
      if !parcel.isSpooled, let most = limits.retry.maximumElapsed, now + delay - start > most {
        statistics.drop(parcel.itemCount, .retriesExhausted)
        notices += announced(.dropping(.retriesExhausted, why: failure.description), now)
        return gone(parcel, notices)
      }
      statistics.retries += 1
      waiting.prepend(parcel)
      return Effects(notices: notices)
    case .refused(let failure): return dropped(parcel, .refused, failure, now)
    case .tooLarge(let failure): return dropped(parcel, .tooLarge, failure, now)
    case .damaged(let failure):
      statistics.damagedFiles += parcel.isSpooled ? 1 : 0
      statistics.drop(parcel.itemCount, parcel.isSpooled ? .spoolDamaged : .encoding)
      return gone(parcel, announced(.spoolDamaged(failure.description), now))
    }
  }

  /// Replaces the parcel in flight by its parts, which are sent next. Parts of a spooled parcel must
  /// be on disk already.
  ///
  /// - Returns: the number of a file to remove.
  mutating func replaceInFlight(by parts: [Parcel]) -> Effects {
    guard let parcel = inFlight else { return Effects() }
    precondition(parts.reduce(0) { $0 + $1.itemCount } == parcel.itemCount)
    inFlight = nil
    for part in parts.reversed() {
      add(part)
      waiting.prepend(part)
    }
    failures = 0
    notBefore = nil
    return gone(parcel, [])
  }

  /// A number for a part of a parcel.
  mutating func newID() -> UInt64 {
    defer { nextID += 1 }
    return nextID
  }

  private mutating func add(_ parcel: Parcel) {
    if parcel.isSpooled {
      statistics.spooled += parcel.itemCount
      statistics.spooledBytes += parcel.byteCount
    } else {
      statistics.queued += parcel.itemCount
      statistics.queuedBytes += parcel.byteCount
    }
  }

  private mutating func gone(_ parcel: Parcel, _ notices: [Notice]) -> Effects {
    if parcel.isSpooled {
      statistics.spooled -= parcel.itemCount
      statistics.spooledBytes -= parcel.byteCount
      return Effects(removed: parcel.id, notices: notices)
    }
    statistics.queued -= parcel.itemCount
    statistics.queuedBytes -= parcel.byteCount
    return Effects(notices: notices)
  }

  private mutating func dropped(
    _ parcel: Parcel, _ reason: DropReason, _ failure: DeliveryFailure, _ now: Duration
  ) -> Effects {
    statistics.drop(parcel.itemCount, reason)
    return gone(parcel, announced(.dropping(reason, why: failure.description), now))
  }

  // MARK: - The end

  /// Sends what waits, and finishes when nothing does or at `deadline`.
  mutating func drain(until deadline: Duration) {
    if phase == .running { phase = .draining(until: deadline) }
  }

  /// Gives up what is in memory. What is on disk stays there for the next process.
  mutating func stop() {
    phase = .stopped
    if let parcel = inFlight { waiting.prepend(parcel) }
    inFlight = nil
    while !waiting.isEmpty {
      let parcel = waiting.removeFirst()
      if parcel.isSpooled { continue }
      statistics.drop(parcel.itemCount, .shutdown)
      statistics.queued -= parcel.itemCount
      statistics.queuedBytes -= parcel.byteCount
    }
  }

  // MARK: - Notices

  mutating func announced(_ notice: Notice, _ now: Duration) -> [Notice] {
    filter.passes(notice, now: now) ? [notice] : []
  }

  private mutating func announcedFailure(_ failure: DeliveryFailure, _ now: Duration) -> [Notice] {
    guard !hasAnnouncedFailure else { return [] }
    let notices = announced(.failing(failure), now)
    hasAnnouncedFailure = !notices.isEmpty
    return notices
  }

  private mutating func reached(_ now: Duration) -> [Notice] {
    defer {
      failures = 0
      notBefore = nil
      hasAnnouncedFailure = false
    }
    return hasAnnouncedFailure ? announced(.recovered(failures: failures), now) : []
  }
}
