internal import CEBPF

/// Standard output or standard error, and what is behind it.
public enum StandardStream: Int32, Sendable {
  /// Results.
  case output = 1
  /// Everything else.
  case error = 2

  /// The width of the terminal behind the stream, or nil when there is none.
  public var columns: Int? {
    let columns = cebpf_terminal_columns(rawValue)
    return columns < 0 ? nil : Int(columns)
  }

  /// Writes all the bytes; throws `EPIPE` when the reader went away and SIGPIPE is ignored.
  public func write(_ bytes: [UInt8]) throws(Errno) {
    try DescriptorWriter.write(bytes, to: rawValue)
  }

  /// Writes text as UTF-8.
  public func write(_ text: String) throws(Errno) {
    try write(Array(text.utf8))
  }
}

/// Writes whole buffers, however many calls that takes.
enum DescriptorWriter {
  static func write(_ bytes: [UInt8], to descriptor: Int32) throws(Errno) {
    var written = 0
    while written < bytes.count {
      let count: Int64 = unsafe bytes.withUnsafeBytes { buffer in
        // SAFETY: `written` is below the buffer's size, so the base address exists.
        guard let base = buffer.baseAddress else { return 0 }
        return unsafe cebpf_write(descriptor, base + written, buffer.count - written)
      }
      if count == -4 { continue }  // EINTR
      written += Int(try Errno.check(count))
    }
  }
}
