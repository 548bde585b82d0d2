import EBPF
import FoundationEssentials

/// Turns a value into one JSON document: snake_case keys in a stable order.
enum JSONDocument {
  /// A document over several lines, for people who look at it, ending in a newline.
  static func text(_ value: some Encodable) -> String {
    encode(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
  }

  /// A document on one line, for streams, ending in a newline.
  static func line(_ value: some Encodable) -> String {
    encode(value, [.sortedKeys, .withoutEscapingSlashes])
  }

  private static func encode(
    _ value: some Encodable, _ format: JSONEncoder.OutputFormatting
  ) -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = format
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    } catch {
      preconditionFailure("a value of the command's own cannot be encoded: \(error)")
    }
  }
}

/// `{"error": …}`: how every command reports a failure under `--json`.
struct ErrorDocument: Encodable {
  let error: Body

  struct Body: Encodable {
    let code: String
    let message: String
    let context: [String: String]
    let hint: String?
    let errno: String?
    let systemCall: String?
    let verifierLog: String?
  }

  init(_ error: EBPFError) {
    var places: [String: String] = [:]
    for place in error.context { places[place.label] = place.value }
    self.error = Body(
      code: error.code.description, message: error.message, context: places, hint: error.hint,
      errno: error.systemCall?.name, systemCall: error.systemCall?.call,
      verifierLog: error.verifierLog)
  }
}
