internal import CZlib

/// Gzip compression by zlib; equal bytes give equal files, because no time or name is stored.
package enum Gzip {
  /// `bytes` as one gzip member.
  package static func compress(
    _ bytes: [UInt8], level: Int32 = 6
  ) throws(CompressionError) -> [UInt8] {
    guard bytes.count <= Int(UInt32.max) else {
      throw CompressionError("\(bytes.count) bytes are more than one gzip member can hold")
    }
    var stream = unsafe z_stream()
    // SAFETY: `stream` outlives every call that gets its address; 15 + 16 asks for a gzip header.
    let started = unsafe deflateInit2_(
      &stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard started == Z_OK else {
      throw CompressionError("zlib could not start: error \(started)")
    }
    defer { unsafe _ = deflateEnd(&stream) }

    let capacity = unsafe Int(deflateBound(&stream, UInt(bytes.count)))
    var input = bytes
    var status = Z_OK
    let output = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      unsafe input.withUnsafeMutableBufferPointer { source in
        // SAFETY: both buffers are valid until deflate returns, and it is told their sizes; a
        // deflate that ends has written every byte that is counted.
        unsafe stream.next_in = source.baseAddress
        unsafe stream.avail_in = UInt32(source.count)
        unsafe stream.next_out = buffer.baseAddress
        unsafe stream.avail_out = UInt32(clamping: buffer.count)
        status = unsafe deflate(&stream, Z_FINISH)
        unsafe count = buffer.count - Int(stream.avail_out)
      }
    }
    guard status == Z_STREAM_END else {
      throw CompressionError("zlib could not compress \(bytes.count) bytes: error \(status)")
    }
    return output
  }
}

/// Why bytes could not be compressed.
package struct CompressionError: Error, Sendable, Hashable {
  /// What was found: lower case, no full stop.
  package var message: String

  init(_ message: String) { self.message = message }
}

/// Sums that show damage.
package enum Checksum {
  /// The CRC-32 of gzip and PNG, of `bytes` after those that gave `sum`.
  package static func crc32(_ bytes: [UInt8], continuing sum: UInt32 = 0) -> UInt32 {
    // Given no address, zlib would answer with the sum of nothing.
    if bytes.isEmpty { return sum }
    // SAFETY: the buffer is valid during the call, and zlib is told its size.
    return unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe UInt32(truncatingIfNeeded: crc32_z(UInt(sum), buffer.baseAddress, buffer.count))
    }
  }
}
