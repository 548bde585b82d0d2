internal import EBPFObject

/// Bytes that are not what DWARF says they should be.
struct MalformedDWARF: Error {}

/// Reads DWARF field by field, and throws once it runs over the end (DWARF 5, 7.4 and 7.6).
struct DWARFCursor {
  let bytes: Bytes
  private(set) var position: Int
  let end: Int

  init(_ bytes: Bytes, at position: UInt64, to end: Int? = nil) throws(MalformedDWARF) {
    let end = min(end ?? bytes.count, bytes.count)
    guard let position = Int(exactly: position), position <= end else { throw MalformedDWARF() }
    self.bytes = bytes
    self.position = position
    self.end = end
  }

  var isAtEnd: Bool { position >= end }

  mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type = Value.self
  ) throws(MalformedDWARF) -> Value {
    guard position <= end - MemoryLayout<Value>.size,
      let value = bytes.span.integer(at: position, as: Value.self)
    else { throw MalformedDWARF() }
    position += MemoryLayout<Value>.size
    return value
  }

  /// An integer of 1 to 8 bytes.
  mutating func integer(size: Int) throws(MalformedDWARF) -> UInt64 {
    switch size {
    case 1: return UInt64(try integer(UInt8.self))
    case 2: return UInt64(try integer(UInt16.self))
    case 4: return UInt64(try integer(UInt32.self))
    case 8: return try integer(UInt64.self)
    case 3:
      let low = UInt64(try integer(UInt16.self))
      return low | UInt64(try integer(UInt8.self)) << 16
    default: throw MalformedDWARF()
    }
  }

  /// An unsigned number in groups of seven bits.
  mutating func unsigned() throws(MalformedDWARF) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try integer(UInt8.self)
      if shift < 64 { value |= UInt64(byte & 0x7f) << shift }
      if byte & 0x80 == 0 { return value }
      shift += 7
      guard shift < 140 else { throw MalformedDWARF() }
    }
  }

  /// A signed number in groups of seven bits.
  mutating func signed() throws(MalformedDWARF) -> Int64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try integer(UInt8.self)
      if shift < 64 { value |= UInt64(byte & 0x7f) << shift }
      shift += 7
      if byte & 0x80 == 0 {
        if shift < 64, byte & 0x40 != 0 { value |= UInt64.max << shift }
        return Int64(bitPattern: value)
      }
      guard shift < 140 else { throw MalformedDWARF() }
    }
  }

  mutating func skip(_ count: UInt64) throws(MalformedDWARF) {
    guard let count = Int(exactly: count), count <= end - position else { throw MalformedDWARF() }
    position += count
  }

  /// Passes over a zero-terminated text.
  mutating func skipText() throws(MalformedDWARF) {
    let bytes = bytes
    let span = bytes.span
    var place = position
    while place < end, span.byte(at: place) != 0 { place += 1 }
    guard place < end else { throw MalformedDWARF() }
    position = place + 1
  }

  /// The length that a unit begins with, and the size of offsets in it.
  mutating func unitLength() throws(MalformedDWARF) -> (length: UInt64, offsetSize: Int) {
    let short = try integer(UInt32.self)
    guard short == 0xffff_ffff else {
      guard short < 0xffff_fff0 else { throw MalformedDWARF() }
      return (UInt64(short), 4)
    }
    return (try integer(UInt64.self), 8)
  }
}
