internal import CZlib
public import EBPFObject

/// Inflates zlib and gzip streams through the system's zlib, never beyond a limit.
public enum Inflate {
  /// Why a stream could not be inflated.
  public enum Failure: Error, Sendable, Hashable {
    /// The stream contradicts its format; zlib's reason.
    case malformed(String)
    /// The stream ends before its end mark.
    case truncated
    /// The output would be longer than the limit, or than there is memory.
    case tooLarge
  }

  /// The content of one zlib or gzip stream (the header tells which).
  ///
  /// - Parameter limit: the most bytes to produce. Memory grows with the output, not with the limit.
  public static func decompress(_ input: RawSpan, limit: Int) throws(Failure) -> Bytes {
    var stream = unsafe z_stream()
    // 15 window bits, and 32 to accept zlib and gzip headers.
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    guard unsafe inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, size) == Z_OK else {
      throw .malformed("zlib could not be initialised")
    }
    defer { _ = unsafe inflateEnd(&stream) }
    guard let output = ExpandedMemory(limit: limit) else { throw .tooLarge }
    var consumed = 0
    while true {
      let had = output.count
      let offered = min(input.byteCount - consumed, 1 << 30)
      guard let status = unsafe step(&stream, input, from: consumed, count: offered, into: output)
      else { throw .tooLarge }
      consumed += offered - Int(unsafe stream.avail_in)
      guard !output.isBeyondLimit else { throw .tooLarge }
      let isStuck = output.count == had
      switch status {
      case Z_STREAM_END: return output.bytes()
      case Z_OK, Z_BUF_ERROR:
        if isStuck, consumed == input.byteCount || status == Z_BUF_ERROR { throw .truncated }
      case Z_NEED_DICT: throw .malformed("the stream needs a preset dictionary")
      default:
        throw .malformed(unsafe stream.msg.map { unsafe String(cString: $0) } ?? "zlib \(status)")
      }
    }
  }

  /// What zlib says; nil when there is no memory.
  private static func step(
    _ stream: inout z_stream, _ input: RawSpan, from consumed: Int, count: Int,
    into output: ExpandedMemory
  ) -> Int32? {
    var status: Int32 = Z_OK
    // SAFETY: both buffers outlive the call, and their remaining lengths are what zlib is told. It
    // does not write through `next_in`, which lacks a const only for historical reasons.
    let hadRoom = unsafe input.withUnsafeBytes { source in
      unsafe output.extend { room in
        let bytes = unsafe source.baseAddress.map {
          unsafe UnsafeMutablePointer(
            mutating: ($0 + consumed).assumingMemoryBound(to: UInt8.self))
        }
        unsafe stream.next_in = bytes
        unsafe stream.avail_in = UInt32(count)
        unsafe stream.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.avail_out = UInt32(room.count)
        status = unsafe inflate(&stream, Z_NO_FLUSH)
        return room.count - Int(unsafe stream.avail_out)
      }
    }
    return hadRoom ? status : nil
  }
}
