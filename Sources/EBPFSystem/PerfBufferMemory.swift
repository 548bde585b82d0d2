public import CEBPF

/// The pages of one CPU's performance event that a `BPF_MAP_TYPE_PERF_EVENT_ARRAY` writes to.
///
/// One reader: ``consume(_:limit:_:)`` is mutating. A record that wraps around the end is copied, all
/// others are passed in place. Source of the layout: `include/uapi/linux/perf_event.h`.
@safe
public struct PerfBufferMemory: ~Copyable, @unchecked Sendable {
  @usableFromInline let region: MappedRegion
  @usableFromInline let pageSize: Int
  /// The size of the data, a power of two.
  public let size: Int
  /// What was read since the buffer was opened.
  public var counts = PerfBufferCounts()
  /// For records that wrap around the end; records are at most 65,535 bytes.
  @usableFromInline let scratch: UnsafeMutableRawPointer

  /// Maps the pages of an open event: `pages` of data, a power of two.
  public init(
    event: Int32, pages: Int, kernel: any KernelInterface = LiveKernel()
  ) throws(Errno) {
    let page = MappedRegion.pageSize
    guard pages > 0, pages & (pages - 1) == 0, pages <= 1 << 20 else { throw .invalid }
    let region = try kernel.mapMemory(
      event, offset: 0, count: (pages + 1) * page, writable: true)
    self.init(region: region)
  }

  /// Takes over one page and a power of two of data pages; tests fill them by hand.
  package init(region: consuming MappedRegion) {
    pageSize = MappedRegion.pageSize
    size = region.count - pageSize
    precondition(size > 0 && size & (size - 1) == 0)
    self.region = region
    unsafe scratch = UnsafeMutableRawPointer.allocate(byteCount: 65_536, alignment: 8)
  }

  // SAFETY: allocated by the initializer, and never given away.
  deinit { unsafe scratch.deallocate() }

  /// Bytes written and not yet consumed, headers included.
  public var availableBytes: Int {
    // SAFETY: the first page is mapped as long as `self` lives; the fields are aligned.
    let (head, tail) = unsafe (
      cebpf_load_acquire_64(region.start + Int(CEBPF_PERF_PAGE_DATA_HEAD.rawValue)),
      cebpf_load_acquire_64(region.start + Int(CEBPF_PERF_PAGE_DATA_TAIL.rawValue))
    )
    return Int(clamping: min(head &- tail, UInt64(size)))
  }

  /// Passes the bytes of every raw sample to `body`, in order, and gives the space back.
  ///
  /// The span ends with the call of `body`; it may be up to 7 bytes longer than what the program
  /// wrote, because the kernel rounds up. When `body` throws, its record counts as read.
  ///
  /// - Parameters:
  ///   - state: what `body` works on; passed along because a captured variable would cost more than
  ///     the record itself.
  ///   - limit: the most samples to pass.
  /// - Returns: the number of samples passed.
  @inlinable
  @discardableResult
  public mutating func consume<State: ~Copyable, Failure: Error>(
    _ state: inout State, limit: Int = .max,
    _ body: (inout State, RawSpan) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    // SAFETY: the region is mapped as long as `self` lives; both fields are aligned.
    let tailField = unsafe region.start + Int(CEBPF_PERF_PAGE_DATA_TAIL.rawValue)
    let head = unsafe cebpf_load_acquire_64(
      region.start + Int(CEBPF_PERF_PAGE_DATA_HEAD.rawValue))
    var tail = unsafe cebpf_load_acquire_64(tailField)
    let data = unsafe UnsafeRawPointer(region.start) + pageSize
    let mask = UInt64(size - 1)
    var passed = 0
    defer { unsafe cebpf_store_release_64(tailField, tail) }
    if head &- tail > UInt64(size) {
      counts.malformed += 1
      tail = head
    }
    while tail != head, passed < limit {
      let available = head &- tail
      let position = Int(truncatingIfNeeded: tail & mask & ~7)
      // SAFETY: the position is inside the data and a multiple of 8, which the size is too, so the
      // 8-byte header never wraps.
      let header = unsafe (data + position).loadUnaligned(as: UInt64.self)
      let type = UInt32(truncatingIfNeeded: header)
      let length = Int(header >> 48)
      guard length >= 8, length <= available else {
        counts.malformed += 1
        tail = head
        break
      }
      tail &+= UInt64(length)
      let record = unsafe length > size - position ? gather(position, length) : data + position
      // SAFETY: the record is `length` bytes long, in place or in the scratch buffer, which nobody
      // touches before the next record.
      let span = unsafe RawSpan(_unsafeStart: record, byteCount: length)
      switch type {
      case 9:  // PERF_RECORD_SAMPLE with PERF_SAMPLE_RAW: size, then the bytes
        guard length >= 12, let size = span.word(at: 8), Int(size) <= length - 12 else {
          counts.malformed += 1
          continue
        }
        counts.records += 1
        counts.bytes += UInt64(size)
        passed += 1
        // SAFETY: as above; the guard proves that `size` bytes follow.
        try body(&state, unsafe RawSpan(_unsafeStart: record + 12, byteCount: Int(size)))
      case 2:  // PERF_RECORD_LOST: id, count
        guard length >= 24, let low = span.word(at: 16), let high = span.word(at: 20) else {
          counts.malformed += 1
          continue
        }
        counts.lost &+= UInt64(low) | UInt64(high) << 32
      default: counts.other += 1
      }
    }
    return passed
  }

  /// Copies a record that wraps around the end into one piece.
  @usableFromInline
  func gather(_ position: Int, _ length: Int) -> UnsafeRawPointer {
    let first = size - position
    // SAFETY: `length` is at most 65,535 and at most `size`, so both parts are inside.
    let data = unsafe UnsafeRawPointer(region.start) + pageSize
    unsafe scratch.copyMemory(from: data + position, byteCount: first)
    unsafe (scratch + first).copyMemory(from: data, byteCount: length - first)
    return unsafe UnsafeRawPointer(scratch)
  }
}

extension RawSpan {
  /// The host-order 32-bit integer at an offset, or nil when it does not fit.
  @inlinable
  func word(at offset: Int) -> UInt32? {
    BitwiseBytes.load(UInt32.self, from: self, at: offset)
  }
}

/// What came out of one or more performance event buffers.
public struct PerfBufferCounts: Sendable, Hashable {
  /// Samples passed to the reader.
  public var records: UInt64 = 0
  /// Their bytes.
  public var bytes: UInt64 = 0
  /// Samples the kernel could not write, by its own count.
  public var lost: UInt64 = 0
  /// Records whose sizes contradict each other.
  public var malformed: UInt64 = 0
  /// Records of other kinds.
  public var other: UInt64 = 0

  /// All zero.
  public init() {}

  /// The sum of two counts.
  public static func + (left: PerfBufferCounts, right: PerfBufferCounts) -> PerfBufferCounts {
    var sum = left
    sum.records += right.records
    sum.bytes += right.bytes
    sum.lost &+= right.lost
    sum.malformed += right.malformed
    sum.other += right.other
    return sum
  }
}
