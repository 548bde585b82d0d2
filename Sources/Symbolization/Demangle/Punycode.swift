/// Decodes identifiers outside ASCII in Rust's mangling: RFC 3492 with `_` as the delimiter.
enum Punycode {
  static func decode(_ text: ArraySlice<UInt8>) -> String? {
    var scalars: [Unicode.Scalar] = []
    var rest = text
    if let delimiter = text.lastIndex(of: 0x5f) {
      scalars = text[..<delimiter].map { Unicode.Scalar($0) }
      rest = text[(delimiter + 1)...]
    }
    guard !rest.isEmpty else { return nil }
    var code = 128
    var index = 0
    var bias = 72
    while !rest.isEmpty {
      let before = index
      var weight = 1
      var threshold = 36
      while true {
        guard let digit = rest.popFirst().flatMap(value) else { return nil }
        let (product, overflow) = digit.multipliedReportingOverflow(by: weight)
        let (sum, carry) = index.addingReportingOverflow(product)
        guard !overflow, !carry else { return nil }
        index = sum
        let limit = min(max(threshold - bias, 1), 26)
        threshold += 36
        if digit < limit { break }
        let (next, tooLarge) = weight.multipliedReportingOverflow(by: 36 - limit)
        guard !tooLarge else { return nil }
        weight = next
      }
      let count = scalars.count + 1
      bias = adapt(index - before, count, isFirst: before == 0)
      let (sum, overflow) = code.addingReportingOverflow(index / count)
      guard !overflow, let number = UInt32(exactly: sum), let scalar = Unicode.Scalar(number) else {
        return nil
      }
      code = sum
      index %= count
      scalars.insert(scalar, at: index)
      index += 1
    }
    return String(String.UnicodeScalarView(scalars))
  }

  /// RFC 3492, section 5.
  private static func value(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x61...0x7a: Int(byte) - 0x61
    case 0x30...0x39: Int(byte) - 0x30 + 26
    default: nil
    }
  }

  /// RFC 3492, section 6.1.
  private static func adapt(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
    var delta = isFirst ? delta / 700 : delta / 2
    delta += delta / count
    var result = 0
    while delta > 455 {
      delta /= 35
      result += 36
    }
    return result + 36 * delta / (delta + 38)
  }
}
