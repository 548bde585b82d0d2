internal import EBPFObject

/// The fields of one message of protocol buffers, in order; every length is checked against what is there.
struct ProtobufFields {
  /// What a field holds, by its wire type.
  enum Value {
    /// An integer of variable length.
    case variable(UInt64)
    /// Eight bytes, little-endian.
    case fixed(UInt64)
    /// A text or a message.
    case bytes(ArraySlice<UInt8>)
    /// Four bytes, which no field that is asked for has.
    case other
  }

  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// The next field; nil at the end.
  mutating func next() throws(EBPFError) -> (number: UInt64, value: Value)? {
    guard position < bytes.endIndex else { return nil }
    let tag = try variable()
    let value: Value
    switch tag & 7 {
    case 0: value = .variable(try variable())
    case 1: value = .fixed(try take(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
    case 2: value = .bytes(try take(try variable()))
    case 5:
      _ = try take(4)
      value = .other
    default: throw malformed("a field of the wire type \(tag & 7), which there is not")
    }
    return (tag >> 3, value)
  }

  private mutating func variable() throws(EBPFError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < bytes.endIndex else { throw malformed("a number that does not end") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw malformed("a number of more than 10 bytes")
  }

  private mutating func take(_ count: UInt64) throws(EBPFError) -> ArraySlice<UInt8> {
    let left = bytes.endIndex - position
    guard count <= UInt64(left) else {
      throw malformed("a field of \(count) bytes where \(left) remain")
    }
    defer { position += Int(count) }
    return bytes[position..<position + Int(count)]
  }

  private func malformed(_ what: String) -> EBPFError {
    EBPFError(
      .malformed, "no message of protocol buffers: \(what)",
      context: [.offset(UInt64(position - bytes.startIndex))])
  }
}
