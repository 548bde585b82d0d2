/// A name inside a blob's strings, measured once: for comparing many names without making text.
struct BTFName {
  let bytes: Bytes
  let start: Int
  let length: Int
  /// The length without a CO-RE flavour.
  let essentialLength: Int

  var isEmpty: Bool { length == 0 }

  /// True when both names are the same without their flavours.
  func isEssentially(_ other: BTFName) -> Bool {
    essentialLength == other.essentialLength && hasSameBytes(as: other, count: essentialLength)
  }

  /// True when both names are the same.
  func isEqual(to other: BTFName) -> Bool {
    length == other.length && hasSameBytes(as: other, count: length)
  }

  /// True when the zero-terminated string at `offset` of `strings` is this name.
  func isEqual(to strings: Bytes, at offset: Int) -> Bool {
    guard length < strings.count - offset else { return false }
    let (mine, others) = (bytes.span, strings.span)
    for index in 0..<length
    where mine.byte(at: start + index) != others.byte(at: offset + index) { return false }
    return others.byte(at: offset + length) == 0
  }

  private func hasSameBytes(as other: BTFName, count: Int) -> Bool {
    let (mine, others) = (bytes.span, other.bytes.span)
    for index in 0..<count
    where mine.byte(at: start + index) != others.byte(at: other.start + index) { return false }
    return true
  }
}

extension BTF {
  /// The name at an offset of the strings, measured.
  func measuredName(at offset: UInt32) throws(EBPFError) -> BTFName {
    let (bytes, start) = try place(ofString: offset)
    let scanned = BTFNameIndex.scan(bytes.span, from: start)
    return BTFName(
      bytes: bytes, start: start, length: scanned.length, essentialLength: scanned.essentialLength)
  }
}
