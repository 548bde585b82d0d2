internal import EBPFSystem
internal import OTLP
internal import Synchronization

/// One signal's way out: requests in, a queue or a spool, one request at a time to the receiver.
final class DeliveryPipeline: Sendable {
  let signal: TelemetrySignal
  private let queue: Mutex<DeliveryQueue>
  private let transport: any Transport
  private let spool: Spool?
  private let clock: any ExporterClock
  private let maximumRequestBytes: Int
  private let maximumRequestItems: Int
  private let report: @Sendable (Notice) -> Void
  private let hasWork = Waker()
  private let isDraining = Waker()
  private let drainDeadline = Mutex<Duration?>(nil)

  /// Takes over what an earlier process left in the spool.
  init(
    signal: TelemetrySignal, limits: DeliveryQueue.Limits, maximumRequestBytes: Int,
    maximumRequestItems: Int = .max, transport: any Transport, spool: Spool?,
    clock: any ExporterClock,
    report: @escaping @Sendable (Notice) -> Void
  ) throws(ExporterError) {
    var first = DeliveryQueue(limits: limits)
    for (entry, size) in try spool?.entries() ?? [] {
      first.recovered(entry.id, itemCount: entry.itemCount, byteCount: size)
    }
    self.signal = signal
    self.queue = Mutex(first)
    self.transport = transport
    self.spool = spool
    self.clock = clock
    self.maximumRequestBytes = maximumRequestBytes
    self.maximumRequestItems = maximumRequestItems
    self.report = report
  }

  var statistics: DeliveryStatistics { queue.withLock(\.statistics) }

  // MARK: - In

  /// Takes a request, in parts when it is too large for one. Does not wait for the network; with a
  /// spool it returns when the request is on disk.
  func export(_ export: TelemetryExport) -> Receipt {
    if export.itemCount > maximumRequestItems, let (first, second) = export.split() {
      return self.export(first, second)
    }
    let bytes: [UInt8]
    do throws(OTLPError) { bytes = try export.protobuf() } catch {
      return lost(export.itemCount, .encoding, "\(error)")
    }
    if bytes.count > maximumRequestBytes {
      guard let (first, second) = export.split() else {
        return lost(
          export.itemCount, .tooLarge,
          "one item has \(bytes.count) bytes, and a request at most \(maximumRequestBytes)")
      }
      return self.export(first, second)
    }
    return accept(bytes, itemCount: export.itemCount)
  }

  private func export(_ first: TelemetryExport, _ second: TelemetryExport) -> Receipt {
    let receipts = [export(first), export(second)]
    return receipts.first { $0 != .accepted && $0 != .spooled } ?? receipts[0]
  }

  private func accept(_ bytes: [UInt8], itemCount: Int) -> Receipt {
    let place = queue.withLock { $0.place(itemCount: itemCount, byteCount: bytes.count) }
    defer { hasWork.wake() }
    switch place {
    case .nowhere(let reason):
      announce(.dropping(reason, why: "\(itemCount) items of \(signal.rawValue) found no room"))
      return .dropped(reason)
    case .memory(let id):
      queue.withLock { $0.queued(id, itemCount: itemCount, bytes: bytes) }
      return .accepted
    case .spool(let id):
      guard let spool else { preconditionFailure("a queue has no room on disk without a spool") }
      do throws(Errno) {
        try spool.write(Spool.Entry(id: id, itemCount: itemCount), bytes)
        queue.withLock { $0.stored(id, itemCount: itemCount, byteCount: bytes.count) }
        return .spooled
      } catch {
        announce(.spoolFailing("\(error)"))
        let reason = queue.withLock { $0.notStored(id, itemCount: itemCount, bytes: bytes) }
        return reason.map(Receipt.dropped) ?? .accepted
      }
    }
  }

  private func lost(_ itemCount: Int, _ reason: DropReason, _ why: String) -> Receipt {
    queue.withLock { $0.lost(itemCount, reason) }
    announce(.dropping(reason, why: why))
    return .dropped(reason)
  }

  // MARK: - Out

  /// Sends until ``drain(for:)`` was called and nothing waits, its time is over, or the task is
  /// cancelled; then gives up what is in memory.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.sendAll() }
      group.addTask { await self.waitForDeadline() }
      await group.next()
      group.cancelAll()
    }
    queue.withLock { $0.stop() }
    let rest = statistics.dropped[.shutdown] ?? 0
    if rest > 0 { report(.dropping(.shutdown, why: "\(rest) items were still waiting")) }
    await transport.close()
  }

  /// Asks ``run()`` to send what waits, for so long, and return.
  func drain(for limit: Duration) {
    let deadline = clock.monotonic + limit
    drainDeadline.withLock { $0 = $0 ?? deadline }
    queue.withLock { $0.drain(until: deadline) }
    isDraining.wake()
    hasWork.wake()
  }

  private func waitForDeadline() async {
    await isDraining.wait()
    guard let deadline = drainDeadline.withLock({ $0 }) else { return }
    // Thrown only when everything was sent before: the wait is over either way.
    do { try await clock.sleep(until: deadline) } catch {}
  }

  private func sendAll() async {
    while !Task.isCancelled {
      switch queue.withLock({ $0.next(now: clock.monotonic) }) {
      case .finish: return
      case .wait(let deadline): await pause(until: deadline)
      case .send(let parcel): await send(parcel)
      }
    }
  }

  private func pause(until deadline: Duration?) async {
    guard let deadline else { return await hasWork.wait() }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.hasWork.wait() }
      group.addTask {
        // Thrown only when there is work before the time: the wait is over either way.
        do { try await self.clock.sleep(until: deadline) } catch {}
      }
      await group.next()
      group.cancelAll()
    }
  }

  private func send(_ parcel: DeliveryQueue.Parcel) async {
    var outcome: DeliveryOutcome
    do throws(Spool.ReadError) {
      let bytes = try bytes(of: parcel)
      outcome = await transport.send(bytes)
      if Task.isCancelled, case .retry = outcome { return }
      if case .tooLarge = outcome, replace(parcel, bytes) { return }
    } catch {
      switch error {
      case .damaged(let why): outcome = .damaged(DeliveryFailure(.file, why))
      case .failed(let errno):
        outcome = .retry(DeliveryFailure(.file, "the spool cannot be read: \(errno)"), after: nil)
      }
    }
    let fraction = Double.random(in: 0...1)
    let now = clock.monotonic
    perform(queue.withLock { $0.finish(outcome, now: now, fraction: fraction) }, parcel.itemCount)
  }

  private func bytes(of parcel: DeliveryQueue.Parcel) throws(Spool.ReadError) -> [UInt8] {
    if let bytes = parcel.bytes { return bytes }
    guard let spool else { preconditionFailure("a parcel is on disk without a spool") }
    return try spool.read(Spool.Entry(id: parcel.id, itemCount: parcel.itemCount))
  }

  /// Puts two halves in the place of a request the receiver found too large. False when it has no
  /// halves; with a spool, both are on disk before the whole is removed.
  private func replace(_ parcel: DeliveryQueue.Parcel, _ bytes: [UInt8]) -> Bool {
    let parts: [(body: [UInt8], itemCount: Int)]
    do throws(OTLPError) {
      let whole = try TelemetryExport(signal: signal, protobuf: bytes)
      guard let (first, second) = whole.split() else { return false }
      parts = [
        (try first.protobuf(), first.itemCount), (try second.protobuf(), second.itemCount),
      ]
    } catch { return false }
    var parcels: [DeliveryQueue.Parcel] = []
    for (body, itemCount) in parts {
      let id = queue.withLock { $0.newID() }
      var stored: [UInt8]? = body
      if parcel.isSpooled, let spool {
        do throws(Errno) {
          try spool.write(Spool.Entry(id: id, itemCount: itemCount), body)
          stored = nil
        } catch { announce(.spoolFailing("\(error)")) }
      }
      parcels.append(
        DeliveryQueue.Parcel(id: id, itemCount: itemCount, byteCount: body.count, bytes: stored))
    }
    perform(queue.withLock { $0.replaceInFlight(by: parcels) }, parcel.itemCount)
    return true
  }

  private func perform(_ effects: DeliveryQueue.Effects, _ itemCount: Int) {
    if let id = effects.removed, let spool {
      do throws(Errno) { try spool.remove(Spool.Entry(id: id, itemCount: itemCount)) } catch {
        announce(.spoolFailing("a sent request cannot be removed: \(error)"))
      }
    }
    effects.notices.forEach(report)
  }

  private func announce(_ notice: Notice) {
    let now = clock.monotonic
    queue.withLock { $0.announced(notice, now) }.forEach(report)
  }
}
