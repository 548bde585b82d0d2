internal import CLzma

/// Expands xz streams through the system's liblzma, never beyond a limit.
public enum Unxz {
  /// Why a stream could not be expanded.
  public enum Failure: Error, Sendable, Hashable {
    /// The stream contradicts its format, or its checksum is wrong.
    case malformed(String)
    /// The stream ends before its end mark.
    case truncated
    /// The output would be longer than the limit.
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
  ) throws(Failure) -> [UInt8] {
    var stream = unsafe lzma_stream()
    guard unsafe lzma_stream_decoder(&stream, memoryLimit, 0) == LZMA_OK else {
      throw .malformed("liblzma could not be initialised")
    }
    defer { unsafe lzma_end(&stream) }
    var output: [UInt8] = []
    var consumed = 0
    while true {
      let had = output.count
      // One byte more than the limit shows that there is more.
      let room = min(max(16_384, min(had, 4 << 20)), limit - had + 1)
      output += [UInt8](repeating: 0, count: room)
      let status = unsafe step(&stream, input, from: consumed, into: &output, at: had)
      consumed = input.byteCount - Int(unsafe stream.avail_in)
      let produced = room - Int(unsafe stream.avail_out)
      output.removeLast(room - produced)
      guard output.count <= limit else { throw .tooLarge }
      switch status {
      case LZMA_STREAM_END: return output
      case LZMA_OK: if produced == 0, consumed == input.byteCount { throw .truncated }
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

  private static func step(
    _ stream: inout lzma_stream, _ input: RawSpan, from consumed: Int,
    into output: inout [UInt8], at had: Int
  ) -> lzma_ret {
    // SAFETY: both buffers outlive the call, and their remaining lengths are what liblzma is told.
    unsafe input.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        unsafe stream.next_in = source.baseAddress.map {
          unsafe ($0 + consumed).assumingMemoryBound(to: UInt8.self)
        }
        unsafe stream.avail_in = source.count - consumed
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: target[had...])
        unsafe stream.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.avail_out = room.count
        return unsafe lzma_code(&stream, LZMA_RUN)
      }
    }
  }
}
