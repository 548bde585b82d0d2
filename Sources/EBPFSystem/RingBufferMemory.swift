public import CEBPF

/// The shared pages of a `BPF_MAP_TYPE_RINGBUF`: one page for the reader's position, one for the
/// writers', then the data, mapped twice in a row so that no record is ever split.
///
/// One reader: ``consume(_:limit:_:)`` is mutating. Source of the layout and of the protocol: kernel
/// document `bpf/ringbuf.rst` and `kernel/bpf/ringbuf.c`.
@safe
public struct RingBufferMemory: ~Copyable, Sendable {
  @usableFromInline let consumer: MappedRegion
  @usableFromInline let producer: MappedRegion
  @usableFromInline let pageSize: Int
  /// The size of the data, a power of two.
  public let size: Int
  /// What was read since the buffer was opened.
  public var counts = RingBufferCounts()

  /// Maps the pages of a ring buffer map of `size` bytes.
  public init(
    map: Int32, size: Int, kernel: any KernelInterface = LiveKernel()
  ) throws(Errno) {
    let page = MappedRegion.pageSize
    let (double, overflow) = size.multipliedReportingOverflow(by: 2)
    guard size >= page, size & (size - 1) == 0, !overflow, double <= Int.max - page else {
      throw .invalid
    }
    let consumer = try kernel.mapMemory(map, offset: 0, count: page, writable: true)
    let producer = try kernel.mapMemory(
      map, offset: UInt64(page), count: page + double, writable: false)
    self.init(consumer: consumer, producer: producer, size: size)
  }

  /// Takes over pages of the right lengths; tests fill them by hand.
  package init(consumer: consuming MappedRegion, producer: consuming MappedRegion, size: Int) {
    let page = MappedRegion.pageSize
    precondition(consumer.count >= 8 && producer.count == page + 2 * size)
    self.consumer = consumer
    self.producer = producer
    self.size = size
    pageSize = page
  }

  /// Bytes written, or being written, and not yet consumed, headers included.
  public var availableBytes: Int {
    let (written, read) = positions
    return Int(clamping: min(written &- read, UInt64(size)))
  }

  @usableFromInline
  var positions: (written: UInt64, read: UInt64) {
    // SAFETY: both pages are mapped as long as `self` lives, and the fields are aligned.
    unsafe (cebpf_load_acquire_64(producer.start), cebpf_load_acquire_64(consumer.start))
  }

  /// Passes every complete record to `body`, in order, and gives the space back to the writers.
  ///
  /// Stops at a record that is still being written: the kernel wakes the reader when it is complete.
  /// The span ends with the call of `body`. When `body` throws, its record counts as read.
  ///
  /// - Parameters:
  ///   - state: what `body` works on; passed along because a captured variable would cost more than
  ///     the record itself.
  ///   - limit: the most records to pass.
  /// - Returns: the number of records passed.
  @inlinable
  @discardableResult
  public mutating func consume<State: ~Copyable, Failure: Error>(
    _ state: inout State, limit: Int = .max,
    _ body: (inout State, RawSpan) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    let start = positions.read
    // Of what was written up to there, the last `remaining` bytes are not read yet.
    var written = start
    var remaining: UInt64 = 0
    var passed = 0
    var bytes: UInt64 = 0
    defer {
      counts.records &+= UInt64(passed)
      counts.bytes &+= bytes
      commit(written &- remaining)
    }
    // SAFETY: the region is mapped as long as `self` lives.
    let data = unsafe UnsafeRawPointer(producer.start) + pageSize
    let size = UInt64(size)
    let mask = (size &- 1) & ~7
    // A writer as fast as the reader must not keep it here for ever.
    let budget = size &* 8
    while passed < limit, written &- remaining &- start < budget {
      let read = written &- remaining
      // SAFETY: as above; the position is an aligned 64-bit integer.
      written = unsafe cebpf_load_acquire_64(producer.start)
      remaining = written &- read
      if remaining > size { remaining = written &- skip(from: read, to: written) }
      // Space goes back in portions: a store for each record would fight with the writers over the
      // cache line.
      let rest = remaining &- min(remaining, size / 8)
      var isBusy = false
      while remaining > rest, passed < limit {
        let record = unsafe data + Int(truncatingIfNeeded: (written &- remaining) & mask)
        // SAFETY: the offset is inside the data and a multiple of 8.
        let header = unsafe cebpf_load_acquire_32(record)
        if header & RingBufferHeader.busy != 0 {
          isBusy = true
          break
        }
        let length = header & RingBufferHeader.length
        let step = (UInt64(length) + 15) & ~7
        guard step <= remaining else {
          counts.malformed += 1
          remaining = 0
          break
        }
        if header & RingBufferHeader.discard != 0 {
          counts.discarded += 1
          remaining &-= step
          continue
        }
        remaining &-= step
        passed &+= 1
        bytes &+= UInt64(length)
        // SAFETY: the record ends before `written`, not farther than `size` from here, and the data is
        // mapped twice, so the record is whole.
        try body(&state, unsafe RawSpan(_unsafeStart: record + 8, byteCount: Int(length)))
      }
      if written &- remaining == read { return passed }
      // The kernel wakes the reader only if it sees the reader's position at the record it completes.
      // So the position is stored first, and then looked at again: whichever side is later sees the
      // other's store.
      commit(written &- remaining)
      cebpf_full_fence()
      // SAFETY: as above.
      if isBusy,
        unsafe cebpf_load_acquire_32(data + Int(truncatingIfNeeded: (written &- remaining) & mask))
          & RingBufferHeader.busy != 0
      {
        return passed
      }
    }
    return passed
  }

  @usableFromInline
  func commit(_ position: UInt64) {
    // SAFETY: the page is writable and mapped as long as `self` lives.
    unsafe cebpf_store_release_64(consumer.start, position)
  }

  /// More was written than the buffer holds: either it overwrites its oldest records
  /// (`BPF_F_RB_OVERWRITE`), and the writers' page says where the oldest one left begins, or the
  /// positions are damaged and everything so far is given up.
  @usableFromInline
  mutating func skip(from read: UInt64, to written: UInt64) -> UInt64 {
    // SAFETY: offset 16 is inside the page.
    let oldest = unsafe cebpf_load_acquire_64(producer.start + 16)
    let isPlausible = oldest &- read <= written &- read && written &- oldest <= UInt64(size)
    guard oldest != 0, oldest & 7 == 0, isPlausible else {
      counts.malformed += 1
      return written
    }
    counts.overwrittenBytes += oldest &- read
    return oldest
  }
}

/// The first 32 bits of a record, `struct bpf_ringbuf_hdr`: its length and what became of it.
@usableFromInline
enum RingBufferHeader {
  /// `BPF_RINGBUF_BUSY_BIT`: still being written.
  @inlinable static var busy: UInt32 { 0x8000_0000 }
  /// `BPF_RINGBUF_DISCARD_BIT`: reserved, and then given up.
  @inlinable static var discard: UInt32 { 0x4000_0000 }
  /// The bits of the length, without the header's 8 bytes.
  @inlinable static var length: UInt32 { 0x3fff_ffff }
}

/// What came out of a ring buffer.
public struct RingBufferCounts: Sendable, Hashable {
  /// Records passed to the reader.
  public var records: UInt64 = 0
  /// Their bytes, without headers.
  public var bytes: UInt64 = 0
  /// Records the program reserved and discarded.
  public var discarded: UInt64 = 0
  /// Times the positions or a header contradicted each other, and the rest was given up.
  public var malformed: UInt64 = 0
  /// Bytes overwritten before they were read, in a buffer that overwrites.
  public var overwrittenBytes: UInt64 = 0

  /// All zero.
  public init() {}
}
