public import EBPFObject
public import Profiles

/// What a process says of itself by OpenTelemetry's OTEP 4719: the message `ProcessContext` of
/// opentelemetry/proto/processcontext/v1development (opentelemetry-proto 1.11), decoded.
public struct PublishedContext: Sendable, Hashable {
  /// The attributes of its resource, each key once, in the order of the first of each.
  public private(set) var resource: [Profile.Attribute] = []
  /// How threads of the process tell what they are at work on (`threadlocal.schema_version` of OTEP
  /// 4947); nil where they do not.
  public private(set) var threadSchema: String?
  /// When it was published, by a clock of the process; it changes with the context.
  public internal(set) var stamp: UInt64 = 0

  /// The most attributes that are kept; further ones are passed over.
  public static let attributeLimit = 128

  /// True when its threads tell in a way that is known here: the one of OTEP 4947's text, by its names in
  /// development and after.
  public var hasThreadContexts: Bool {
    ["tlsdesc_v1_dev", "tlsdesc_v1", "tls_v1"].contains(threadSchema)
  }

  /// Decodes a payload that nobody has vouched for. Attributes whose value is bytes, a map, or a list of
  /// other than texts are passed over.
  public init(decoding payload: [UInt8]) throws(EBPFError) {
    var fields = ProtobufFields(payload[...])
    while let (number, value) = try fields.next() {
      guard case .bytes(let content) = value else { continue }
      switch number {
      case 1: try addResource(content)
      case 2:
        guard let attribute = try Self.attribute(content),
          attribute.key == "threadlocal.schema_version", case .string(let text) = attribute.value
        else { continue }
        threadSchema = text
      default: break
      }
    }
  }

  /// `Resource`: `repeated KeyValue attributes = 1`.
  private mutating func addResource(_ message: ArraySlice<UInt8>) throws(EBPFError) {
    var fields = ProtobufFields(message)
    while let (number, value) = try fields.next() {
      guard number == 1, case .bytes(let content) = value,
        let attribute = try Self.attribute(content)
      else { continue }
      if let known = resource.firstIndex(where: { $0.key == attribute.key }) {
        resource[known] = attribute
      } else if resource.count < Self.attributeLimit {
        resource.append(attribute)
      }
    }
  }

  /// `KeyValue`: `string key = 1; AnyValue value = 2`. Nil without a key or a value that is known.
  private static func attribute(
    _ message: ArraySlice<UInt8>
  ) throws(EBPFError) -> Profile.Attribute? {
    var fields = ProtobufFields(message)
    var key = ""
    var found: Profile.Attribute.Value?
    while let (number, value) = try fields.next() {
      guard case .bytes(let content) = value else { continue }
      if number == 1 { key = text(content) }
      if number == 2 { found = try anyValue(content) }
    }
    guard let found, !key.isEmpty else { return nil }
    return Profile.Attribute(key, found)
  }

  /// `AnyValue`, one of: `string = 1; bool = 2; int = 3; double = 4; ArrayValue = 5`, and others.
  private static func anyValue(
    _ message: ArraySlice<UInt8>
  ) throws(EBPFError) -> Profile.Attribute.Value? {
    var fields = ProtobufFields(message)
    var found: Profile.Attribute.Value?
    while let (number, value) = try fields.next() {
      switch (number, value) {
      case (1, .bytes(let content)): found = .string(text(content))
      case (2, .variable(let flag)): found = .boolean(flag != 0)
      case (3, .variable(let number)): found = .integer(Int64(bitPattern: number))
      case (4, .fixed(let bits)): found = .double(Double(bitPattern: bits))
      case (5, .bytes(let content)): found = try texts(content).map { .strings($0) }
      default: found = nil
      }
    }
    return found
  }

  /// `ArrayValue`: `repeated AnyValue values = 1`. Nil where one is no text.
  private static func texts(_ message: ArraySlice<UInt8>) throws(EBPFError) -> [String]? {
    var fields = ProtobufFields(message)
    var texts: [String] = []
    while let (number, value) = try fields.next() {
      guard number == 1, case .bytes(let content) = value else { continue }
      var element = ProtobufFields(content)
      guard let (kind, value) = try element.next(), kind == 1, case .bytes(let content) = value
      else { return nil }
      texts.append(text(content))
    }
    return texts
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }
}
