internal import CEBPF

/// A file descriptor with exactly one owner, closed when that owner goes away.
public struct OwnedDescriptor: ~Copyable, Sendable {
  /// The number; valid as long as this value is.
  public let rawValue: Int32

  /// Takes over an open descriptor.
  public init(owning rawValue: Int32) {
    precondition(rawValue >= 0, "not a descriptor: \(rawValue)")
    self.rawValue = rawValue
  }

  // The only failure is EBADF, which one owner rules out; nobody could act on any other.
  deinit { _ = cebpf_close(rawValue) }

  /// A second descriptor for the same open file.
  public borrowing func duplicate() throws(Errno) -> OwnedDescriptor {
    OwnedDescriptor(owning: try Errno.check(cebpf_duplicate(rawValue)))
  }

  /// Gives the number away; it is the caller's to close.
  public consuming func release() -> Int32 {
    let number = rawValue
    discard self
    return number
  }
}
