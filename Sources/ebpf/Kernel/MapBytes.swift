import ArgumentParser
import EBPF

/// A key or value on a command line, as bpftool takes it: bytes, decimal or `0x…`, after the word
/// `hex` in hexadecimal without `0x`. One number stands for a whole integer.
struct MapBytes {
  let words: [String]

  /// The bytes, which must be `size`.
  func bytes(size: Int, what: String) throws(EBPFError) -> [UInt8] {
    if words.first == "hex" {
      let bytes = words.dropFirst().compactMap { UInt8($0, radix: 16) }
      guard bytes.count == words.count - 1 else { throw wrong(what, "a byte in hexadecimal") }
      return try checked(bytes, size, what)
    }
    if words.count == 1, size != 1, [2, 4, 8].contains(size) { return try integer(size, what) }
    let bytes = words.compactMap { word -> UInt8? in
      word.hasPrefix("0x") ? UInt8(word.dropFirst(2), radix: 16) : UInt8(word)
    }
    guard bytes.count == words.count else { throw wrong(what, "a byte (0 to 255, or 0x0 to 0xff)") }
    return try checked(bytes, size, what)
  }

  /// A whole integer in this machine's byte order.
  private func integer(_ size: Int, _ what: String) throws(EBPFError) -> [UInt8] {
    let word = words[0]
    let isHexadecimal = word.hasPrefix("0x")
    let digits = isHexadecimal ? word.dropFirst(2) : word[...]
    let radix = isHexadecimal ? 16 : 10
    let bits: UInt64? =
      switch size {
      case 2:
        UInt16(digits, radix: radix).map(UInt64.init)
          ?? Int16(digits, radix: radix).map { UInt64(UInt16(bitPattern: $0)) }
      case 4:
        UInt32(digits, radix: radix).map(UInt64.init)
          ?? Int32(digits, radix: radix).map { UInt64(UInt32(bitPattern: $0)) }
      default:
        UInt64(digits, radix: radix) ?? Int64(digits, radix: radix).map(UInt64.init(bitPattern:))
      }
    guard let bits else {
      let signs = digits.drop { $0 == "-" }
      guard !signs.isEmpty, signs.allSatisfy({ $0.isASCII && $0.isHexDigit }),
        isHexadecimal || signs.allSatisfy(\.isNumber)
      else { throw wrong(what, "a number") }
      throw EBPFError(.invalidArgument, "the \(what) \(word) does not fit into \(size) bytes")
    }
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: bits >> UInt64($0 * 8)) }
    #if _endian(big)
      return bytes.reversed()
    #else
      return bytes
    #endif
  }

  private func checked(_ bytes: [UInt8], _ size: Int, _ what: String) throws(EBPFError) -> [UInt8] {
    guard bytes.count == size else {
      throw EBPFError(
        .invalidArgument, "the \(what) has \(size) bytes, but \(bytes.count) were given",
        hint: "give them all, lowest address first; one number stands for an integer of 2, 4 or 8")
    }
    return bytes
  }

  private func wrong(_ what: String, _ wanted: String) -> EBPFError {
    EBPFError(
      .invalidArgument, "the \(what) '\(words.joined(separator: " "))' is not \(wanted)")
  }
}
