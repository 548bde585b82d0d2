/// The value of `OTEL_EXPORTER_OTLP_HEADERS`: `name=value,name=value`, values percent-encoded.
enum HeaderList {
  /// The headers in order, and a sentence for each member that is none.
  ///
  /// Values may be secrets: no sentence quotes one.
  static func parse(_ text: String) -> (headers: [Header], problems: [String]) {
    var headers: [Header] = []
    var problems: [String] = []
    for (index, member) in text.split(separator: ",").enumerated() {
      let trimmed = member.trimmingSpaces
      if trimmed.isEmpty { continue }
      guard let equals = trimmed.firstIndex(of: "=") else {
        problems.append("member \(index + 1) has no '='")
        continue
      }
      let name = trimmed[..<equals].trimmingSpaces
      guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
        problems.append("member \(index + 1) has a name that no HTTP header can have")
        continue
      }
      // Properties of W3C baggage, after a semicolon, are part of the value here.
      guard let value = percentDecoded(trimmed[trimmed.index(after: equals)...].trimmingSpaces)
      else {
        problems.append("the value of '\(name)' is not percent-encoded UTF-8")
        continue
      }
      guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 9 }) else {
        problems.append("the value of '\(name)' holds a control character")
        continue
      }
      headers.append(Header(name: String(name), value: value))
    }
    return (headers, problems)
  }

  /// The text that `%XX` sequences stand for; nil when one is cut short or the result is no UTF-8.
  static func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(hexDigit),
        let low = rest.popFirst().flatMap(hexDigit)
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// RFC 9110, `tchar`.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}

/// One header of a request.
public struct Header: Sendable, Hashable {
  /// The name, as given.
  public var name: String
  /// The value; often a secret, so nothing prints it.
  public var value: String

  /// Creates a header.
  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

extension StringProtocol {
  /// The text without spaces and tabs around it.
  var trimmingSpaces: Substring {
    var rest = Substring(self)
    while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
    while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
    return rest
  }
}
