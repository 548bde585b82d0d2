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

/// A key that is always there: `null` when there is no value.
@propertyWrapper
struct Nullable<Value: Encodable>: Encodable {
  var wrappedValue: Value?

  init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue {
      try container.encode(wrappedValue)
    } else {
      try container.encodeNil()
    }
  }
}

/// `{"error": …}`: how every command reports a failure under `--json`.
struct ErrorDocument: Encodable {
  let error: Body

  init(_ error: EBPFError) { self.error = Body(error) }

  /// The places of an error by their labels; of two with the same label, the inner one.
  static func places(_ error: EBPFError) -> [String: String] {
    Dictionary(error.context.map { ($0.label, $0.value) }) { _, inner in inner }
  }

  struct Body: Encodable {
    let code: String
    let message: String
    let context: [String: String]
    @Nullable var hint: String?
    @Nullable var errno: String?
    @Nullable var systemCall: String?
    @Nullable var verifierLog: String?

    init(_ error: EBPFError) {
      code = error.code.description
      message = error.message
      context = ErrorDocument.places(error)
      hint = error.hint
      errno = error.systemCall?.name
      systemCall = error.systemCall?.call
      verifierLog = error.verifierLog
    }
  }
}
