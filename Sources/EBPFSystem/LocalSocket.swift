internal import CEBPF
internal import Glibc

/// A socket in the file system that others connect to. Its file is removed when it goes away.
public struct LocalListener: ~Copyable, Sendable {
  /// Where the file is.
  public let path: String
  /// Readable when somebody wants to connect.
  public let descriptor: OwnedDescriptor
  private let file: FileStatus

  /// Makes the file, which only its owner (and root) may use; `EADDRINUSE` when the path is taken.
  public init(path: String) throws(Errno) {
    let backlog: Int32 = 16
    let number = try unsafe withPath(path) { path in unsafe cebpf_local_listen(path, backlog) }
    let listener = OwnedDescriptor(owning: number)
    let file = try FileStatus(ofLinkAt: path)
    descriptor = listener
    self.path = path
    self.file = file
  }

  deinit {
    // Somebody else may have put another file there meanwhile; one that cannot be looked at is not
    // ours to remove.
    do throws(Errno) {
      let now = try FileStatus(ofLinkAt: path)
      guard now.inode == file.inode, now.device == file.device else { return }
      try FileSystem.remove(path)
    } catch { return }
  }

  /// The next client; nil when there is none now.
  public borrowing func accept() throws(Errno) -> LocalConnection? {
    let number = cebpf_local_accept(descriptor.rawValue)
    if number == -EAGAIN || number == -EINTR || number == -ECONNABORTED { return nil }
    return LocalConnection(OwnedDescriptor(owning: try Errno.check(number)))
  }
}

/// One end of a connection through a socket in the file system.
public struct LocalConnection: ~Copyable, Sendable {
  /// What was read.
  public enum Reading: Sendable, Hashable {
    /// Bytes, at least one.
    case bytes([UInt8])
    /// Nothing now; where reading waits, nothing in time.
    case nothing
    /// The other end has closed.
    case end
  }

  /// Readable when there is something to read.
  public let descriptor: OwnedDescriptor

  fileprivate init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

  /// Connects; this and every later call waits at most so many seconds.
  public init(to path: String, seconds: UInt32) throws(Errno) {
    let number = try unsafe withPath(path) { path in
      unsafe cebpf_local_connect(path, seconds)
    }
    descriptor = OwnedDescriptor(owning: number)
  }

  /// The user and the process that connected, as the kernel knows them.
  public borrowing func peer() throws(Errno) -> (user: UInt32, process: Int32) {
    var peer = cebpf_peer()
    _ = try Errno.check(unsafe cebpf_local_peer(descriptor.rawValue, &peer))
    return (peer.user, peer.process)
  }

  /// Reads at most so many bytes.
  public borrowing func read(limit: Int) throws(Errno) -> Reading {
    precondition(limit > 0, "nothing can be read into nothing")
    var buffer = [UInt8](repeating: 0, count: limit)
    let count = unsafe buffer.withUnsafeMutableBytes { buffer -> Int64 in
      // SAFETY: the buffer is not empty, so its base address exists.
      guard let base = buffer.baseAddress else { return 0 }
      return unsafe cebpf_read(descriptor.rawValue, base, buffer.count)
    }
    if count == Int64(-EAGAIN) || count == Int64(-EINTR) { return .nothing }
    return try Errno.check(count) == 0 ? .end : .bytes(Array(buffer.prefix(Int(count))))
  }

  /// Writes some of the bytes, and returns how many; 0 when the other end does not read.
  public borrowing func send(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
    let count = unsafe bytes.withUnsafeBytes { buffer -> Int64 in
      guard let base = buffer.baseAddress else { return 0 }
      // SAFETY: the kernel reads the slice's bytes and keeps nothing.
      return unsafe cebpf_local_send(descriptor.rawValue, base, buffer.count)
    }
    if count == Int64(-EAGAIN) || count == Int64(-EINTR) { return 0 }
    return Int(try Errno.check(count))
  }
}
