internal import OTLP

/// What `OTEL_RESOURCE_ATTRIBUTES` says: `key=value`, separated by commas, in which percent signs quote
/// bytes (OpenTelemetry specification, "Specifying resource information via an environment variable").
enum ResourceAttributesVariable {
  static let name = "OTEL_RESOURCE_ATTRIBUTES"

  /// Why the variable has no meaning; all of it is then left out, as the specification says.
  struct Malformed: Error, Hashable {
    var message: String
  }

  static func parse(_ text: String) throws(Malformed) -> [Attribute] {
    var attributes: [Attribute] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = trimmed(part)
      if pair.isEmpty { continue }
      guard let equals = pair.firstIndex(of: "=") else {
        throw Malformed(message: "'\(pair)' is no key=value")
      }
      let key = trimmed(pair[..<equals])
      let value = trimmed(pair[pair.index(after: equals)...])
      guard !key.isEmpty else { throw Malformed(message: "'\(pair)' has no key") }
      guard let decodedKey = decoded(key), let decodedValue = decoded(value) else {
        throw Malformed(
          message: "'\(pair)' has a percent sign that two hexadecimal digits do not follow, "
            + "or is not UTF-8")
      }
      attributes.append(Attribute(decodedKey, decodedValue))
    }
    return attributes
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let head = text.drop(while: isBlank)
    return head.lastIndex { !isBlank($0) }.map { head[...$0] } ?? ""
  }

  /// Nil where a percent sign has not two digits after it, and where the bytes are no UTF-8.
  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit)
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
