internal import EBPFObject
internal import Glibc

/// Memory that a stream is expanded into, up to a limit and one byte, which shows that there is more.
///
/// It is there once: room that nothing was written to takes no memory, the kernel moves a large block
/// that grows by its pages, and ``bytes()`` does not copy.
@safe
final class ExpandedMemory: @unchecked Sendable {
  private var start: UnsafeMutableRawPointer
  private var capacity: Int
  private let limit: Int
  /// The bytes written.
  private(set) var count = 0

  /// Room to begin with, at most.
  private static let firstCapacity = 64 << 20

  /// Nil when there is no memory.
  init?(limit: Int) {
    let limit = min(max(limit, 0), Int.max - 1)
    let capacity = min(limit, Self.firstCapacity) + 1
    // SAFETY: what it returns is used within the capacity, until `deinit`.
    guard let start = unsafe malloc(capacity) else { return nil }
    unsafe self.start = start
    self.capacity = capacity
    self.limit = limit
  }

  deinit {
    // SAFETY: from `malloc` or `realloc`; ``Bytes`` made of it have kept this object alive.
    unsafe free(start)
  }

  /// True when more was written than the limit.
  var isBeyondLimit: Bool { count > limit }

  /// Calls `write` with room for at least one byte, and at most 1 GiB; it returns how many it has
  /// written. False when there is no room and no memory for more. Not to be called beyond the limit.
  func extend(_ write: (UnsafeMutableRawBufferPointer) -> Int) -> Bool {
    precondition(!isBeyondLimit)
    if count == capacity {
      let larger = min(capacity &* 2, limit + 1)
      // SAFETY: from `malloc` or `realloc`, and nobody has a pointer to it.
      guard larger > capacity, let moved = unsafe realloc(start, larger) else { return false }
      unsafe start = moved
      capacity = larger
    }
    // SAFETY: `count` is below the capacity.
    let room = unsafe UnsafeMutableRawBufferPointer(
      start: start + count, count: min(capacity - count, 1 << 30))
    let written = unsafe write(room)
    precondition(written >= 0 && written <= room.count)
    count += written
    return true
  }

  /// What was written. To be called once, as the last.
  func bytes() -> Bytes {
    // SAFETY: as above. When it fails the memory stays as it is.
    if let smaller = unsafe realloc(start, max(count, 1)) { unsafe start = smaller }
    capacity = max(count, 1)
    // SAFETY: the owner keeps the memory, and nothing is written any more.
    return unsafe Bytes(owner: self, start: UnsafeRawPointer(start), count: count)
  }
}
