internal import CEBPF

/// A file in memory, without a place in any folder: for what another program shall write or read.
///
/// It is gone with its owner. Needs /proc, where its path is.
public struct MemoryFile: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor

  /// Makes an empty file; `name` is what `/proc/PID/fd` shows.
  public init(name: String) throws(Errno) {
    // SAFETY: the string is copied by the kernel.
    descriptor = OwnedDescriptor(
      owning: try Errno.check(unsafe name.withCString { unsafe cebpf_memory_file($0) }))
  }

  /// Where other processes of this user find it, as long as this value is.
  public var path: String { "/proc/\(CurrentProcess.id)/fd/\(descriptor.rawValue)" }

  /// What is in it.
  public func contents(limit: Int) throws(Errno) -> [UInt8] {
    try SystemFile.read(path, limit: limit)
  }
}
