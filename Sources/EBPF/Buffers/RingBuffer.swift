public import EBPFSystem

/// Reads the records that programs send through a `BPF_MAP_TYPE_RINGBUF` map (since Linux 5.8).
///
/// There is one reader, by type: a ring buffer cannot be copied. When nobody reads, the ring fills and
/// the program's `bpf_ringbuf_reserve` fails, which the program must count; nothing queues up here.
public struct RingBuffer: ~Copyable, Sendable {
  /// The map.
  public let map: RawMap
  @usableFromInline var memory: RingBufferMemory

  /// Maps the ring's pages.
  public init(_ map: RawMap) throws(EBPFError) {
    guard map.type == .ringBuffer else {
      throw EBPFError(
        .invalidArgument, "map '\(map.name)' has type \(map.type.name), and is no ring buffer",
        context: [.map(map.name)])
    }
    let memory: RingBufferMemory
    do throws(Errno) {
      memory = try RingBufferMemory(
        map: map.fileDescriptor, size: Int(map.information.maxEntries), kernel: map.kernel)
    } catch {
      throw map.error(
        error == .notPermitted ? .denied : .system,
        "cannot map the pages of ring buffer '\(map.name)': \(error.text)", "mmap", error,
        hint: error == .notPermitted ? "the map must not be frozen or open for reading only" : nil)
    }
    self.map = map
    self.memory = memory
  }

  /// The descriptor to wait for with epoll: readable when a record may be waiting.
  public var fileDescriptor: Int32 { map.fileDescriptor }

  /// Bytes written, or being written, and not yet read, headers included.
  public var availableBytes: Int { memory.availableBytes }

  /// What was read so far.
  public var statistics: BufferStatistics {
    var statistics = BufferStatistics()
    statistics.records = memory.counts.records
    statistics.bytes = memory.counts.bytes
    statistics.malformed = memory.counts.malformed
    statistics.discarded = memory.counts.discarded
    return statistics
  }

  /// Passes every complete record to `body`, in order, without waiting, and gives the space back.
  ///
  /// This is the fast way: a record is a span into the ring, valid during the call of `body`; `state`
  /// is passed along because a captured variable would cost more than the record itself. A record for
  /// which `body` throws counts as read. Reading stops after eight times the ring's size, so that a
  /// fast writer does not keep the caller.
  ///
  /// - Returns: the number of records.
  @inlinable
  @discardableResult
  public mutating func drain<State: ~Copyable, Failure: Error>(
    _ state: inout State, limit: Int = .max,
    _ body: (inout State, RawSpan) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    try memory.consume(&state, limit: limit, body)
  }

  /// Waits until a record may be there; false when the time is over first.
  ///
  /// A program that suppresses wake-ups (`BPF_RB_NO_WAKEUP`) needs a timeout and a
  /// ``drain(_:limit:_:)`` after each.
  public func wait(timeout: Duration? = nil) throws(EBPFError) -> Bool {
    do throws(Errno) { return try Readiness.wait(for: [fileDescriptor], timeout: timeout) } catch {
      throw map.error(
        .system, "cannot wait for ring buffer '\(map.name)': \(error.text)", "poll", error,
        hint: nil)
    }
  }
}

extension RingBuffer {
  /// The records as an asynchronous sequence of arrays, each of at most `limit` records.
  ///
  /// - Parameters:
  ///   - limit: the most records in an array.
  ///   - interval: also look at the ring this often, for programs that suppress wake-ups.
  ///   - decode: makes an element of a record, or returns nil for one that is malformed, which is
  ///     counted and left out.
  public consuming func batches<Element: Sendable>(
    limit: Int = 1024, interval: Duration? = nil,
    decode: @escaping @Sendable (RawSpan) -> Element?
  ) throws(EBPFError) -> EventBatches<Element> {
    let descriptor = fileDescriptor
    let name = map.name
    let shared = SharedRing(self)
    // The kernel says whether there is a record as often as it is asked. To look here as well would be
    // to run in circles while a record is being written.
    return try EventBatches(
      descriptor: descriptor, name: name, interval: interval, hasData: { false },
      read: { shared.read(limit: limit, decode) }, statistics: { shared.statistics })
  }

  /// The records as values of a plain type; a record shorter than the type is counted as malformed.
  public consuming func batches<Element: BitwiseCopyable & Sendable>(
    of type: Element.Type, limit: Int = 1024, interval: Duration? = nil
  ) throws(EBPFError) -> EventBatches<Element> {
    try batches(limit: limit, interval: interval) { record in
      BitwiseBytes.load(Element.self, from: record)
    }
  }
}
