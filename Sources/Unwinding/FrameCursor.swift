internal import EBPFObject

/// Reads call frame information field by field; nil once it runs over the end.
///
/// Encodings are those of DWARF 5 (7.6, LEB128) and of the Linux Standard Base 5.0, Core, 10.6
/// (`DW_EH_PE` pointers).
struct FrameCursor {
  private let bytes: Bytes
  private(set) var position: Int
  /// Where reading ends.
  let end: Int

  /// Reads the bytes from `position` to `end`, which is cut to what there is.
  init(_ bytes: Bytes, from position: Int, to end: Int) {
    self.bytes = bytes
    self.position = max(0, position)
    self.end = min(end, bytes.count)
  }

  /// The same bytes, to be read from another place.
  func restarted(at position: Int) -> FrameCursor { FrameCursor(bytes, from: position, to: end) }

  mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type = Value.self
  ) -> Value? {
    guard position <= end - MemoryLayout<Value>.size,
      let value = bytes.span.integer(at: position, as: Value.self)
    else { return nil }
    position += MemoryLayout<Value>.size
    return value
  }

  /// An unsigned number in groups of seven bits; nil when it does not fit 64 bits.
  mutating func unsigned() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = integer(UInt8.self) {
      let group = UInt64(byte & 0x7f)
      guard shift < 64, shift < 63 || group <= 1 else { return nil }
      value |= group << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    return nil
  }

  /// A signed number in groups of seven bits; nil when it does not fit 64 bits.
  mutating func signed() -> Int64? {
    var value: Int64 = 0
    var shift: Int64 = 0
    while let byte = integer(UInt8.self) {
      guard shift < 64 else { return nil }
      value |= Int64(byte & 0x7f) << shift
      shift += 7
      if byte & 0x80 == 0 {
        return shift < 64 && byte & 0x40 != 0 ? value | (-1 << shift) : value
      }
    }
    return nil
  }

  /// Passes over `count` bytes.
  mutating func skip(_ count: UInt64) -> Bool {
    guard let count = Int(exactly: count), count <= end - position else { return false }
    position += count
    return true
  }

  /// The bytes up to a zero byte, which is passed over.
  mutating func text() -> [UInt8]? {
    var text: [UInt8] = []
    while let byte = integer(UInt8.self) {
      if byte == 0 { return text }
      text.append(byte)
    }
    return nil
  }

  /// A pointer in one of the encodings that files use; `address` is that of the section's first byte.
  mutating func pointer(_ encoding: UInt8, sectionAddress address: UInt64) -> UInt64? {
    let here = address &+ UInt64(position)
    let value: UInt64
    switch encoding & 0x0f {
    case 0x00, 0x04: guard let read = integer(UInt64.self) else { return nil }; value = read
    case 0x01: guard let read = unsigned() else { return nil }; value = read
    case 0x02: guard let read = integer(UInt16.self) else { return nil }; value = UInt64(read)
    case 0x03: guard let read = integer(UInt32.self) else { return nil }; value = UInt64(read)
    case 0x09: guard let read = signed() else { return nil }; value = UInt64(bitPattern: read)
    case 0x0a:
      guard let read = integer(Int16.self) else { return nil }
      value = UInt64(bitPattern: Int64(read))
    case 0x0b:
      guard let read = integer(Int32.self) else { return nil }
      value = UInt64(bitPattern: Int64(read))
    case 0x0c: guard let read = integer(UInt64.self) else { return nil }; value = read
    default: return nil
    }
    switch encoding & 0x70 {
    case 0x00: return value
    case 0x10: return here &+ value
    default: return nil
    }
  }
}
