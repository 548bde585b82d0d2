internal import CEBPF
internal import Glibc

/// Bounded reading of files whose size the file system does not say, as in /proc and /sys.
public enum SystemFile {
  /// The most that ``read(_:limit:)`` takes unless told otherwise.
  public static let defaultLimit = 16 << 20

  /// Opens a file, always close-on-exec. `flags` are those of open(2), such as ``readOnly``.
  public static func open(
    _ path: String, flags: Int32 = readOnly, mode: UInt32 = 0o600
  ) throws(Errno) -> OwnedDescriptor {
    let bytes = try terminated(path)
    let result = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe buffer.withMemoryRebound(to: CChar.self) { path in
        // SAFETY: the array ends in a zero and is never empty.
        unsafe cebpf_open(AT_FDCWD, path.baseAddress.unsafelyUnwrapped, flags, mode)
      }
    }
    return OwnedDescriptor(owning: try Errno.check(result))
  }

  /// Open to read, never waiting for a writer.
  public static var readOnly: Int32 { O_RDONLY | O_NONBLOCK }
  /// Open to write, from the start.
  public static var writeOnly: Int32 { O_WRONLY }
  /// Open to write at the end, as tracefs wants it.
  public static var append: Int32 { O_WRONLY | O_APPEND }
  /// Open a directory, to name it in another call.
  public static var directory: Int32 { O_RDONLY | O_DIRECTORY }

  /// The whole content; `EFBIG` when it is longer than `limit`.
  public static func read(_ path: String, limit: Int = defaultLimit) throws(Errno) -> [UInt8] {
    try refuseSpecial(path)
    return try read(open(path), limit: limit)
  }

  /// Everything a descriptor gives until its end; `EFBIG` when it is longer than `limit`.
  public static func read(
    _ descriptor: borrowing OwnedDescriptor, limit: Int = defaultLimit
  ) throws(Errno) -> [UInt8] {
    var content: [UInt8] = []
    var chunk = 4096
    while true {
      let had = content.count
      // One byte more than the limit shows that there is more.
      let wanted = min(chunk, limit - had + 1)
      content += [UInt8](repeating: 0, count: wanted)
      let count = try read(descriptor, into: &content, from: had)
      content.removeLast(wanted - count)
      if count == 0 { return content }
      guard content.count <= limit else { throw .fileTooLarge }
      if count == wanted { chunk = min(chunk * 2, 1 << 20) }
    }
  }

  /// What one read(2) of at most `count` bytes gives: enough to look at a long file's first lines.
  public static func beginning(
    _ descriptor: borrowing OwnedDescriptor, count: Int
  ) throws(Errno) -> [UInt8] {
    precondition(count > 0)
    var content = [UInt8](repeating: 0, count: count)
    let filled = try read(descriptor, into: &content, from: 0)
    content.removeLast(count - filled)
    return content
  }

  static func read(
    _ descriptor: borrowing OwnedDescriptor, into content: inout [UInt8], from start: Int
  ) throws(Errno) -> Int {
    let number = descriptor.rawValue
    while true {
      let result = unsafe content.withUnsafeMutableBytes { buffer in
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
        // SAFETY: the caller made room after `start`, so the rest is not empty.
        return unsafe cebpf_read(number, rest.baseAddress.unsafelyUnwrapped, rest.count)
      }
      do throws(Errno) { return Int(try Errno.check(result)) } catch {
        if error != .interrupted { throw error }
      }
    }
  }

  /// The whole content as text; ill-formed UTF-8 is shown as U+FFFD.
  public static func text(_ path: String, limit: Int = defaultLimit) throws(Errno) -> String {
    String(decoding: try read(path, limit: limit), as: UTF8.self)
  }

  /// The content's lines, without their ends; a last empty one is left out.
  public static func lines(_ path: String, limit: Int = defaultLimit) throws(Errno) -> [Substring] {
    try text(path, limit: limit).split(separator: "\n", omittingEmptySubsequences: false)
      .droppingLastIfEmpty()
  }

  /// The decimal number a file holds, as sysctl files do; `EINVAL` when it holds something else.
  public static func integer(_ path: String) throws(Errno) -> Int {
    let words = try text(path, limit: 4096).split(whereSeparator: \.isWhitespace)
    guard words.count == 1, let value = Int(words[0]) else { throw .invalid }
    return value
  }

  /// Writes all bytes in one call, as tracefs and sysctl files want it.
  public static func write(_ path: String, _ text: String, flags: Int32 = writeOnly) throws(Errno) {
    let descriptor = try open(path, flags: flags)
    let number = descriptor.rawValue
    let bytes = [UInt8](text.utf8)
    let written = try Errno.check(
      unsafe bytes.withUnsafeBytes { buffer in
        guard let start = buffer.baseAddress else { return Int64(0) }
        return unsafe cebpf_write(number, start, buffer.count)
      })
    guard written == bytes.count else { throw .inputOutput }
  }

  /// A special file could block or have side effects; a directory has no content.
  static func refuseSpecial(_ path: String) throws(Errno) {
    try refuseSpecial(try FileStatus(path: path))
  }

  static func refuseSpecial(_ status: FileStatus) throws(Errno) {
    if status.isDirectory { throw .isDirectory }
    guard status.isRegular else { throw .illegalSeek }
  }
}

extension Array where Element == Substring {
  fileprivate func droppingLastIfEmpty() -> [Substring] {
    last?.isEmpty == true ? Array(dropLast()) : self
  }
}
