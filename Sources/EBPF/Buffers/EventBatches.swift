internal import EBPFSystem
internal import Synchronization

/// The records of a buffer as an asynchronous sequence of arrays; ``records`` gives them one by one.
///
/// There is one consumer. Nothing is queued: an array is read from the buffer when it is asked for, and
/// when nobody asks, the buffer fills and the program counts what it drops. The sequence ends when its
/// task is cancelled.
public struct EventBatches<Record: Sendable>: AsyncSequence, Sendable {
  /// An array of records, never empty.
  public typealias Element = [Record]
  /// What can go wrong while waiting.
  public typealias Failure = EBPFError

  private let source: EventSource<Record>

  init(
    descriptor: Int32, name: String, interval: Duration?,
    hasData: @escaping @Sendable () -> Bool, read: @escaping @Sendable () -> Batch<Record>,
    statistics: @escaping @Sendable () -> BufferStatistics
  ) throws(EBPFError) {
    source = try EventSource(
      descriptor: descriptor, name: name, interval: interval, hasData: hasData, read: read,
      statistics: statistics)
  }

  /// What was read so far; may be asked from any task.
  public var statistics: BufferStatistics { source.statistics() }

  /// The same records one by one.
  public var records: EventRecords<Record> { EventRecords(batches: self) }

  /// Starts reading. A second iterator continues where the first one is, and must not run beside it.
  public func makeAsyncIterator() -> Iterator { Iterator(source: source) }

  /// Reads array after array.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let source: EventSource<Record>

    /// The next array, as soon as there is a record; nil when the task was cancelled.
    public func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(EBPFError) -> [Record]? {
      while !Task.isCancelled {
        let batch = source.read()
        if !batch.elements.isEmpty { return batch.elements }
        if batch.count == 0 { try await source.wait(isolation: actor) }
      }
      return nil
    }

    /// The next array, as soon as there is a record; nil when the task was cancelled.
    public func next() async throws(EBPFError) -> [Record]? { try await next(isolation: nil) }
  }
}

/// The records of ``EventBatches`` one by one.
public struct EventRecords<Record: Sendable>: AsyncSequence, Sendable {
  /// A record.
  public typealias Element = Record
  /// What can go wrong while waiting.
  public typealias Failure = EBPFError

  let batches: EventBatches<Record>

  /// Starts reading; see ``EventBatches/makeAsyncIterator()``.
  public func makeAsyncIterator() -> Iterator { Iterator(source: batches.makeAsyncIterator()) }

  /// Reads record after record.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let source: EventBatches<Record>.Iterator
    private var batch: [Record] = []
    private var index = 0

    fileprivate init(source: EventBatches<Record>.Iterator) { self.source = source }

    /// The next record; nil when the task was cancelled.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(EBPFError) -> Record? {
      if index == batch.count {
        guard let next = try await source.next(isolation: actor) else { return nil }
        batch = next
        index = 0
      }
      index += 1
      return batch[index - 1]
    }

    /// The next record; nil when the task was cancelled.
    public mutating func next() async throws(EBPFError) -> Record? {
      try await next(isolation: nil)
    }
  }
}

/// What the sequences share: how to read, and how to wait.
private final class EventSource<Record: Sendable>: Sendable {
  let read: @Sendable () -> Batch<Record>
  let statistics: @Sendable () -> BufferStatistics
  private let hasData: @Sendable () -> Bool
  private let name: String
  private let poller: Poller
  private let signal = Signal()
  private let registrations: [Poller.Registration]

  init(
    descriptor: Int32, name: String, interval: Duration?,
    hasData: @escaping @Sendable () -> Bool, read: @escaping @Sendable () -> Batch<Record>,
    statistics: @escaping @Sendable () -> BufferStatistics
  ) throws(EBPFError) {
    self.hasData = hasData
    let signal = self.signal
    do throws(Errno) {
      poller = try Poller.shared()
      let ready = try poller.add(descriptor, readiness: .once) { signal.send() }
      guard let interval else {
        registrations = [ready]
        self.name = name
        self.read = read
        self.statistics = statistics
        return
      }
      do throws(Errno) {
        let timer = try poller.addTimer(nanoseconds: Readiness.nanoseconds(interval)) {
          signal.send()
        }
        registrations = [ready, timer]
      } catch {
        poller.remove(ready)
        throw error
      }
    } catch { throw EventSource.waiting(name, error) }
    self.name = name
    self.read = read
    self.statistics = statistics
  }

  deinit {
    for registration in registrations { poller.remove(registration) }
  }

  private static func waiting(_ name: String, _ errno: Errno) -> EBPFError {
    EBPFError.refused(
      .system, "cannot wait for buffer '\(name)': \(errno.text)", call: "epoll_ctl", errno,
      context: [.map(name)])
  }

  /// Returns when a record may be there, when the interval is over, or when the task is cancelled.
  func wait(isolation actor: isolated (any Actor)?) async throws(EBPFError) {
    do throws(Errno) { try poller.rearm(registrations[0]) } catch {
      throw EventSource.waiting(name, error)
    }
    // The kernel looks when the descriptor is armed. But a performance event is ready for whoever asks
    // first, and arming may be that.
    if hasData() { return }
    await withTaskCancellationHandler {
      await withCheckedContinuation(isolation: actor) { signal.store($0) }
    } onCancel: {
      signal.send()
    }
  }
}

/// Resumes one waiting task. A signal that comes before the task waits is remembered.
private final class Signal: Sendable {
  private struct State {
    var waiting: CheckedContinuation<Void, Never>?
    var isSent = false
  }

  private let state = Mutex(State())

  func send() {
    let waiting = state.withLock { state in
      let waiting = state.waiting
      state.waiting = nil
      state.isSent = waiting == nil
      return waiting
    }
    waiting?.resume()
  }

  func store(_ continuation: CheckedContinuation<Void, Never>) {
    let isSent = state.withLock { state in
      precondition(state.waiting == nil, "two tasks read one buffer")
      if state.isSent {
        state.isSent = false
        return true
      }
      state.waiting = continuation
      return false
    }
    if isSent { continuation.resume() }
  }
}
