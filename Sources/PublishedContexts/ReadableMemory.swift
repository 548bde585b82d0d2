public import EBPFSystem

/// Memory that may be anything, and change at any time.
public protocol ReadableMemory: ~Copyable {
  /// A copy of `count` bytes.
  func read(at address: UInt64, count: Int) throws(Errno) -> [UInt8]
}

extension ProcessMemory: ReadableMemory {}

extension ReadableMemory where Self: ~Copyable {
  /// Words of eight bytes.
  func words(at address: UInt64, count: Int) throws(Errno) -> [UInt64] {
    let bytes = try read(at: address, count: 8 * count)
    return (0..<count).map { index in
      bytes[8 * index..<8 * index + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
  }
}
