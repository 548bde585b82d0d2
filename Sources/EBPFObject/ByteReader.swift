/// Reads a byte sequence field by field, in the order of the C structure it holds.
///
/// Every read is checked; an error names the offset in the file.
public struct ByteReader: Sendable {
  /// What is being read.
  public let bytes: Bytes
  /// The byte order of every integer read.
  public let order: ByteOrder
  /// The offset of the next read from the start of ``bytes``.
  public private(set) var position = 0

  /// Starts reading at the first byte.
  public init(_ bytes: Bytes, order: ByteOrder = .little) {
    self.bytes = bytes
    self.order = order
  }

  /// The number of bytes not yet read.
  public var remaining: Int { bytes.count - position }

  /// Reads the next integer.
  @inlinable
  public mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type = Value.self
  ) throws(EBPFError) -> Value {
    let value = try bytes.load(at: position, as: Value.self, order: order)
    advance(MemoryLayout<Value>.size)
    return value
  }

  /// Reads the next `count` bytes as a slice of the same storage.
  public mutating func read(count: Int) throws(EBPFError) -> Bytes {
    let slice = try bytes.slice(at: position, count: count)
    position += count
    return slice
  }

  /// Passes over `count` bytes.
  public mutating func skip(_ count: Int) throws(EBPFError) {
    _ = try read(count: count)
  }

  /// Moves past bytes that a checked read has just proved to exist.
  @usableFromInline
  mutating func advance(_ count: Int) { position += count }
}
