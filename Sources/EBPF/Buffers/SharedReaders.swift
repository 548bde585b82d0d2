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

  func read<Element>(limit: Int, _ decode: (RawSpan) -> Element?) -> [Element] {
    var batch = Batch<Element>()
    state.withLock { state in
      _ = state.ring.drain(&batch, limit: limit) { batch, record in batch.add(decode(record)) }
      state.undecodable += batch.undecodable
    }
    return batch.elements
  }
}

/// A perf buffer behind a lock, and the count of what could not be decoded.
final class SharedPerfBuffer: Sendable {
  private struct State: ~Copyable {
    var buffer: PerfBuffer
    var undecodable: UInt64 = 0
  }

  private let state: Mutex<State>

  init(_ buffer: consuming sending PerfBuffer) { state = Mutex(State(buffer: buffer)) }

  var statistics: BufferStatistics {
    state.withLock { state in
      var statistics = state.buffer.statistics
      statistics.malformed += state.undecodable
      return statistics
    }
  }

  func read<Element>(limit: Int, _ decode: (RawSpan) -> Element?) -> [Element] {
    var batch = Batch<Element>()
    state.withLock { state in
      _ = state.buffer.drain(&batch, limit: limit) { batch, record in batch.add(decode(record)) }
      state.undecodable += batch.undecodable
    }
    return batch.elements
  }
}

/// What one call of a reader collected.
private struct Batch<Element> {
  var elements: [Element] = []
  var undecodable: UInt64 = 0

  mutating func add(_ element: Element?) {
    if let element { elements.append(element) } else { undecodable += 1 }
  }
}
