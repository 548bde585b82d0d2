/// Rust's first mangling: C++'s nested names, with a hash at the end and escapes such as `$LT$`.
enum RustLegacyName {
  /// True for `_ZN…17h<16 hexadecimal digits>E`, perhaps followed by `.llvm.…`.
  static func hasHash(_ name: some Collection<UInt8>) -> Bool {
    var bytes = name[...]
    guard bytes.starts(with: "_ZN".utf8) else { return false }
    if let dot = suffixStart(Array(bytes)) { bytes = bytes.prefix(dot) }
    let tail = Array(bytes.suffix(20))
    guard tail.count == 20, tail.starts(with: "17h".utf8), tail[19] == 0x45 else { return false }
    return tail[3..<19].allSatisfy { $0.hexadecimalValue != nil }
  }

  /// Where `.llvm.123` begins, which LLVM adds to names it makes visible.
  private static func suffixStart(_ name: [UInt8]) -> Int? {
    let suffix = Array(".llvm.".utf8)
    guard name.count > suffix.count else { return nil }
    return (0...(name.count - suffix.count)).last { name[$0...].starts(with: suffix) }
  }

  static func demangle(_ name: [UInt8], keepingHash: Bool) -> String? {
    var parts: [String] = []
    var position = 3
    while position < name.count, name[position] != 0x45 {
      var length = 0
      let digits = position
      while position < name.count, name[position].isDigit, length <= name.count {
        length = length * 10 + Int(name[position] - 0x30)
        position += 1
      }
      guard position > digits, length > 0, length <= name.count - position else { return nil }
      parts.append(unescape(name[position..<(position + length)]))
      position += length
    }
    guard position < name.count, parts.count > 1 else { return nil }
    if !keepingHash { parts.removeLast() }
    return parts.joined(separator: "::")
  }

  private static let escapes: [(String, String)] = [
    ("$SP$", "@"), ("$BP$", "*"), ("$RF$", "&"), ("$LT$", "<"), ("$GT$", ">"), ("$LP$", "("),
    ("$RP$", ")"), ("$C$", ","),
  ]

  private static func unescape(_ part: ArraySlice<UInt8>) -> String {
    var text = part
    // A name that would begin with `$` gets an underscore before it.
    if text.starts(with: "_$".utf8) { text = text.dropFirst() }
    var result: [UInt8] = []
    while let byte = text.first {
      if text.starts(with: "..".utf8) {
        result += [0x3a, 0x3a]
        text = text.dropFirst(2)
      } else if byte == 0x24, let (replacement, length) = escape(text) {
        result += replacement
        text = text.dropFirst(length)
      } else {
        result.append(byte)
        text = text.dropFirst()
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// What an escape stands for and how long it is: `$LT$`, or `$u20$` with a code point.
  private static func escape(_ text: ArraySlice<UInt8>) -> ([UInt8], Int)? {
    for (escape, replacement) in escapes where text.starts(with: escape.utf8) {
      return (Array(replacement.utf8), escape.utf8.count)
    }
    guard text.dropFirst().first == 0x75 else { return nil }
    let digits = text.dropFirst(2).prefix { $0.hexadecimalValue != nil }
    guard (1...6).contains(digits.count), text.dropFirst(2 + digits.count).first == 0x24,
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
      let scalar = Unicode.Scalar(value), !(value < 0x20 || value == 0x7f)
    else { return nil }
    return (Array(String(scalar).utf8), digits.count + 3)
  }
}
