extension ProcessContext {
  /// The version of what ``ThreadContext`` writes, as publishers and readers of the field have it while
  /// OTEP 4947 calls it a development version.
  static let threadSchema = "tlsdesc_v1_dev"

  /// `ProcessContext` of opentelemetry/proto/processcontext/v1development (opentelemetry-proto 1.11):
  /// `Resource resource = 1; repeated KeyValue attributes = 2`. The same resource gives the same bytes.
  static func encode(_ resource: [String: Value], threadAttributes: [String]) -> [UInt8] {
    var attributes: [UInt8] = []
    for (key, value) in resource.sorted(by: { $0.key < $1.key }) {
      attributes.append(field: 1, keyValue(key, value))
    }
    var context: [UInt8] = []
    context.append(field: 1, attributes)
    context.append(field: 2, keyValue("threadlocal.schema_version", .string(threadSchema)))
    context.append(
      field: 2, keyValue("threadlocal.attribute_key_map", .strings(threadAttributes)))
    return context
  }

  /// `KeyValue`: `string key = 1; AnyValue value = 2`.
  private static func keyValue(_ key: String, _ value: Value) -> [UInt8] {
    var message: [UInt8] = []
    message.append(field: 1, Array(key.utf8))
    message.append(field: 2, anyValue(value))
    return message
  }

  /// `AnyValue`, one of: `string = 1; bool = 2; int = 3; double = 4; ArrayValue = 5`.
  private static func anyValue(_ value: Value) -> [UInt8] {
    var message: [UInt8] = []
    switch value {
    case .string(let text): message.append(field: 1, Array(text.utf8))
    case .boolean(let flag):
      message.append(tag: 2, wireType: 0)
      message.append(variable: flag ? 1 : 0)
    case .integer(let number):
      message.append(tag: 3, wireType: 0)
      message.append(variable: UInt64(bitPattern: number))
    case .double(let number):
      message.append(tag: 4, wireType: 1)
      for shift in stride(from: 0, to: 64, by: 8) {
        message.append(UInt8(truncatingIfNeeded: number.bitPattern >> UInt64(shift)))
      }
    case .strings(let texts):
      var list: [UInt8] = []
      for text in texts { list.append(field: 1, anyValue(.string(text))) }
      message.append(field: 5, list)
    }
    return message
  }
}

// MARK: - Protocol buffers

extension [UInt8] {
  fileprivate mutating func append(tag: UInt64, wireType: UInt64) {
    append(variable: tag << 3 | wireType)
  }

  fileprivate mutating func append(variable value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  /// A field with a length: a text or a message.
  fileprivate mutating func append(field: UInt64, _ content: [UInt8]) {
    append(tag: field, wireType: 2)
    append(variable: UInt64(content.count))
    append(contentsOf: content)
  }
}
