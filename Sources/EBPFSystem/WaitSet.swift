internal import CEBPF

/// Several descriptors that one thread waits for (`epoll(7)`).
public struct WaitSet: ~Copyable, Sendable {
  private let epoll: OwnedDescriptor

  /// Creates an empty set.
  public init() throws(Errno) {
    epoll = OwnedDescriptor(owning: try Errno.check(cebpf_epoll_create()))
  }

  /// The set itself can be waited for: it is readable when one of its descriptors is.
  public var descriptor: Int32 { epoll.rawValue }

  /// Adds a descriptor that the caller keeps open; `tag` is what ``wait(milliseconds:)`` reports.
  public borrowing func add(_ descriptor: Int32, tag: UInt64) throws(Errno) {
    let readable: UInt32 = 1  // EPOLLIN
    _ = try Errno.check(cebpf_epoll_add(epoll.rawValue, descriptor, readable, tag))
  }

  /// Takes a descriptor out.
  public borrowing func remove(_ descriptor: Int32) throws(Errno) {
    _ = try Errno.check(cebpf_epoll_remove(epoll.rawValue, descriptor))
  }

  /// The tags of the descriptors that are readable; none when the time is over. A negative time waits
  /// for ever.
  public borrowing func wait(milliseconds: Int32) throws(Errno) -> [UInt64] {
    var ready = [cebpf_event](repeating: cebpf_event(), count: 16)
    let count = unsafe ready.withUnsafeMutableBufferPointer { buffer -> Int32 in
      // SAFETY: 16 elements have a base address.
      guard let base = buffer.baseAddress else { return 0 }
      return unsafe cebpf_epoll_wait(epoll.rawValue, base, Int32(buffer.count), milliseconds)
    }
    if count == -4 { return [] }  // EINTR: the caller looks at its clock and waits again
    return ready.prefix(Int(try Errno.check(count))).map(\.data)
  }
}
