/// A file read from front to back in pieces, for what need not be in memory at once: /proc/kallsyms.
public struct FileChunks: ~Copyable {
  private let descriptor: OwnedDescriptor
  private var buffer: [UInt8]
  private var left: Int

  /// Opens an ordinary file, of which at most `limit` bytes are read.
  public init(_ path: String, limit: Int, chunkSize: Int = 65_536) throws(Errno) {
    precondition(chunkSize > 0 && limit >= 0)
    try SystemFile.refuseSpecial(path)
    descriptor = try SystemFile.open(path)
    buffer = [UInt8](repeating: 0, count: chunkSize)
    left = limit
  }

  /// The next piece, nil at the end. `EFBIG` past the limit.
  public mutating func next() throws(Errno) -> ArraySlice<UInt8>? {
    let count = try SystemFile.read(descriptor, into: &buffer, from: 0)
    guard count <= left else { throw .fileTooLarge }
    left -= count
    return count == 0 ? nil : buffer[..<count]
  }
}
