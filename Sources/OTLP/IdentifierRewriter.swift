internal import FoundationEssentials

/// Makes OTLP's JSON of protocol buffers' JSON: what identifies traces, spans and profiles is
/// hexadecimal there, and base64 here.
///
/// An object's keys are the schema's own field names, never a user's words (attributes are lists of
/// keys and values), so a key tells what its value is.
enum IdentifierRewriter {
  private static let quote = UInt8(ascii: "\"")
  private static let keys = ["traceId", "spanId", "parentSpanId", "profileId"].map {
    Array($0.utf8)
  }

  /// The same JSON, which has no blanks between its tokens, with hexadecimal identifiers.
  static func rewrite(_ json: [UInt8]) throws(OTLPError) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(json.count + json.count / 8)
    var position = 0
    var isIdentifier = false
    while position < json.count {
      guard json[position] == quote else {
        result.append(json[position])
        position += 1
        continue
      }
      let end = stringEnd(json, from: position)
      let isKey = end < json.count && json[end] == UInt8(ascii: ":")
      if isIdentifier {
        result.append(quote)
        result += try hexadecimal(json[(position + 1)..<(end - 1)])
        result.append(quote)
      } else {
        result += json[position..<end]
      }
      isIdentifier = isKey && keys.contains { $0.elementsEqual(json[(position + 1)..<(end - 1)]) }
      position = end
    }
    return result
  }

  /// The position after a string's closing quote.
  private static func stringEnd(_ json: [UInt8], from start: Int) -> Int {
    var position = start + 1
    while position < json.count, json[position] != quote {
      position += json[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(position + 1, json.count)
  }

  private static func hexadecimal(_ base64: ArraySlice<UInt8>) throws(OTLPError) -> [UInt8] {
    guard let bytes = Data(base64Encoded: Data(base64)) else {
      throw OTLPError(
        "an identifier is not base64: '\(String(decoding: base64, as: UTF8.self))'")
    }
    let digits = Array("0123456789abcdef".utf8)
    return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xf)]] }
  }
}
