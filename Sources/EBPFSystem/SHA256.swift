internal import CLzma

/// SHA-256 by the system's liblzma, which makes it for the blocks of xz files.
public enum SHA256 {
  /// The 32 bytes of the digest; nil for a liblzma that was built without it.
  public static func digest(_ input: [UInt8]) -> [UInt8]? {
    var block = unsafe lzma_block()
    unsafe block.check = LZMA_CHECK_SHA256
    var output = [UInt8](repeating: 0, count: lzma_block_buffer_bound(input.count))
    var written = 0
    let room = output.count
    // SAFETY: both buffers outlive the call, which is told their lengths; the block is its own.
    let result = unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe lzma_block_uncomp_encode(
          &block, input.baseAddress, input.count, output.baseAddress, &written, room)
      }
    }
    guard result == LZMA_OK else { return nil }
    let check = unsafe block.raw_check
    return BitwiseBytes.read(check) { BitwiseBytes.array($0.extracting(first: 32)) }
  }
}
