internal import CEBPF
internal import Glibc

/// A file or stream that only grows, by whole pieces.
public final class AppendingFile: Sendable {
  private let number: Int32
  private let owned: OwnedDescriptor?

  private init(number: Int32) {
    self.number = number
    owned = nil
  }

  /// Opens a file to write at its end, and makes it when it is missing.
  public init(path: String) throws(Errno) {
    let descriptor = try SystemFile.open(
      path, flags: O_WRONLY | O_APPEND | O_CREAT, mode: 0o644)
    number = descriptor.rawValue
    owned = consume descriptor
  }

  /// This process's standard output.
  public static let standardOutput = AppendingFile(number: 1)

  /// Writes all the bytes; when that fails, an ordinary file is as long as before.
  public func append(_ bytes: [UInt8]) throws(Errno) {
    var before = cebpf_file_status()
    _ = try Errno.check(unsafe cebpf_status(number, &before))
    do throws(Errno) { try DescriptorWriter.write(bytes, to: number) } catch {
      // What cannot be shortened either keeps its broken end; the first error says more.
      if before.mode & UInt32(S_IFMT) == UInt32(S_IFREG) { _ = cebpf_truncate(number, before.size) }
      throw error
    }
  }
}

/// A lock on a folder or file, held as long as the value lives and ended by the end of the process,
/// however that comes.
public struct FileLock: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor

  /// Locks a directory; `EAGAIN` when another process, or another lock of this one, has it.
  public init(directory path: String) throws(Errno) {
    let opened = try SystemFile.open(path, flags: SystemFile.directory)
    _ = try Errno.check(cebpf_lock(opened.rawValue))
    descriptor = opened
  }
}
