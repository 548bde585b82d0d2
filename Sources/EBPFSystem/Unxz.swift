internal import CLzma
public import EBPFObject

/// Expands xz streams through the system's liblzma, never beyond a limit.
public enum Unxz {
  /// Why a stream could not be expanded.
  public enum Failure: Error, Sendable, Hashable {
    /// The stream contradicts its format, or its checksum is wrong.
    case malformed(String)
    /// The stream ends before its end mark.
    case truncated
    /// The output would be longer than the limit, or than there is memory.
    case tooLarge
    /// The dictionary would take more memory than the limit.
    case needsTooMuchMemory
  }

  /// The content of one xz file.
  ///
  /// - Parameter limit: the most bytes to produce. Memory grows with the output, not with the limit.
  /// - Parameter memoryLimit: the most bytes that the decoder may take for itself. What `xz -9` writes
  ///   needs 65 MB.
  public static func decompress(
    _ input: RawSpan, limit: Int, memoryLimit: UInt64 = 72 << 20
  ) throws(Failure) -> Bytes {
    var stream = unsafe lzma_stream()
    guard unsafe lzma_stream_decoder(&stream, memoryLimit, 0) == LZMA_OK else {
      throw .malformed("liblzma could not be initialised")
    }
    defer { unsafe lzma_end(&stream) }
    guard let output = ExpandedMemory(limit: limit) else { throw .tooLarge }
    var consumed = 0
    while true {
      let had = output.count
      guard let status = unsafe step(&stream, input, from: consumed, into: output) else {
        throw .tooLarge
      }
      consumed = input.byteCount - Int(unsafe stream.avail_in)
      guard !output.isBeyondLimit else { throw .tooLarge }
      switch status {
      case LZMA_STREAM_END: return output.bytes()
      case LZMA_OK: if output.count == had, consumed == input.byteCount { throw .truncated }
      case LZMA_BUF_ERROR: throw .truncated
      case LZMA_MEMLIMIT_ERROR: throw .needsTooMuchMemory
      case LZMA_MEM_ERROR: throw .needsTooMuchMemory
      case LZMA_FORMAT_ERROR: throw .malformed("no xz header")
      case LZMA_DATA_ERROR: throw .malformed("the stream is corrupt")
      case LZMA_OPTIONS_ERROR: throw .malformed("the stream uses unknown options")
      default: throw .malformed("liblzma \(status.rawValue)")
      }
    }
  }

  /// What liblzma says; nil when there is no memory.
  private static func step(
    _ stream: inout lzma_stream, _ input: RawSpan, from consumed: Int, into output: ExpandedMemory
  ) -> lzma_ret? {
    var status = LZMA_OK
    // SAFETY: both buffers outlive the call, and their remaining lengths are what liblzma is told.
    let hadRoom = unsafe input.withUnsafeBytes { source in
      unsafe output.extend { room in
        unsafe stream.next_in = source.baseAddress.map {
          unsafe ($0 + consumed).assumingMemoryBound(to: UInt8.self)
        }
        unsafe stream.avail_in = source.count - consumed
        unsafe stream.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.avail_out = room.count
        status = unsafe lzma_code(&stream, LZMA_RUN)
        return room.count - Int(unsafe stream.avail_out)
      }
    }
    return hadRoom ? status : nil
  }
}
