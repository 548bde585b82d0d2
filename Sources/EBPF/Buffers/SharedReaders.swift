internal import Synchronization

// A buffer that an asynchronous sequence, which is copied freely, refers to.

/// A ring buffer behind a lock, and the count of what could not be decoded.
final class SharedRing: Sendable {
  private struct State: ~Copyable {
    var ring: RingBuffer
    var undecodable: UInt64 = 0
  }

  private let state: Mutex<State>

  init(_ ring: consuming sending RingBuffer) { state = Mutex(State(ring: ring)) }

  var statistics: BufferStatistics {
    state.withLock { state in
      var statistics = state.ring.statistics
      statistics.malformed += state.undecodable
      return statistics
    }
  }

  func read<Element>(limit: Int, _ decode: (RawSpan) -> Element?) -> Batch<Element> {
    var batch = Batch<Element>()
    state.withLock { state in
      batch.count = state.ring.drain(&batch, limit: limit) { batch, record in
        batch.add(decode(record))
      }
      state.undecodable += batch.undecodable
    }
    return batch
  }
}

/// A perf buffer behind a lock, and the count of what could not be decoded.
final class SharedPerfBuffer: Sendable {
  private struct State: ~Copyable {
    var buffer: PerfBuffer
    var undecodable: UInt64 = 0
  }

  private let state: Mutex<State>

  var hasData: Bool { state.withLock { $0.buffer.availableBytes > 0 } }

  init(_ buffer: consuming sending PerfBuffer) { state = Mutex(State(buffer: buffer)) }

  var statistics: BufferStatistics {
    state.withLock { state in
      var statistics = state.buffer.statistics
      statistics.malformed += state.undecodable
      return statistics
    }
  }

  func read<Element>(limit: Int, _ decode: (RawSpan) -> Element?) -> Batch<Element> {
    var batch = Batch<Element>()
    state.withLock { state in
      batch.count = state.buffer.drain(&batch, limit: limit) { batch, record in
        batch.add(decode(record))
      }
      state.undecodable += batch.undecodable
    }
    return batch
  }
}

/// What one call of a reader collected.
struct Batch<Element> {
  private(set) var elements: [Element] = []
  private(set) var undecodable: UInt64 = 0
  /// Records read, those included that could not be decoded. Only 0 means that nothing is left: a perf
  /// buffer with records in it does not become ready again by itself.
  var count = 0

  mutating func add(_ element: Element?) {
    if let element { elements.append(element) } else { undecodable += 1 }
  }
}
