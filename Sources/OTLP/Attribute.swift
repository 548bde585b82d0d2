internal import FoundationEssentials
internal import OTLPMessages

/// What an attribute says.
public enum AttributeValue: Sendable, Hashable {
  /// A text.
  case string(String)
  /// Yes or no.
  case boolean(Bool)
  /// A whole number.
  case integer(Int64)
  /// A number.
  case double(Double)
  /// Texts in order.
  case strings([String])
  /// Bytes.
  case bytes([UInt8])
}

extension AttributeValue: ExpressibleByStringLiteral {
  /// A text.
  public init(stringLiteral value: String) { self = .string(value) }
}

/// A name with what it says.
public struct Attribute: Sendable, Hashable {
  /// Its name: `process.pid`.
  public var key: String
  /// What it says.
  public var value: AttributeValue

  /// Creates an attribute.
  public init(_ key: String, _ value: AttributeValue) {
    self.key = key
    self.value = value
  }

  /// Creates an attribute with a text.
  public init(_ key: String, _ text: String) { self.init(key, .string(text)) }

  /// Creates an attribute with a whole number.
  public init(_ key: String, _ number: some BinaryInteger) {
    self.init(key, .integer(Int64(clamping: number)))
  }
}

extension AttributeValue {
  var message: Opentelemetry_Proto_Common_V1_AnyValue {
    var message = Opentelemetry_Proto_Common_V1_AnyValue()
    switch self {
    case .string(let text): message.stringValue = text
    case .boolean(let value): message.boolValue = value
    case .integer(let number): message.intValue = number
    case .double(let number): message.doubleValue = number
    case .strings(let texts):
      message.arrayValue.values = texts.map { AttributeValue.string($0).message }
    case .bytes(let bytes): message.bytesValue = Data(bytes)
    }
    return message
  }
}

extension Attribute {
  var message: Opentelemetry_Proto_Common_V1_KeyValue {
    var message = Opentelemetry_Proto_Common_V1_KeyValue()
    message.key = key
    message.value = value.message
    return message
  }
}
