import EBPF
import EBPFSystem

/// The keys and values of one map, as its BTF says where it has one.
struct MapEntries {
  private let map: RawMap
  private let reader: BTFValueReader?
  private let keyType: UInt32
  private let valueType: UInt32

  init(_ map: RawMap) throws(EBPFError) {
    self.map = map
    let found = map.information
    let btf = found.btfID == 0 ? nil : try KernelBTF.ifThere(id: found.btfID)
    reader = btf.map(BTFValueReader.init)
    keyType = found.keyTypeID
    valueType = found.valueTypeID
  }

  /// An entry in JSON: bpftool's `key`, `value` or `values`, and `formatted` where types are known.
  func json(_ entry: RawMap.Entry) throws(EBPFError) -> JSONTree {
    var fields: [(String, JSONTree)] = []
    if map.keySize > 0 { fields.append(("key", .hex(entry.key))) }
    if map.type.isPerCPU {
      fields.append(("values", .perCPU(map.split(entry.value).map { .hex($0) })))
    } else {
      fields.append(("value", .hex(entry.value)))
    }
    if reader != nil, valueType != 0 {
      var formatted: [(String, JSONTree)] = []
      if keyType != 0 { formatted.append(("key", JSONTree(try key(entry.key)))) }
      if map.type.isPerCPU {
        var values: [JSONTree] = []
        for value in map.split(entry.value) { values.append(JSONTree(try self.value(value))) }
        formatted.append(("values", .perCPU(values)))
      } else {
        formatted.append(("value", JSONTree(try value(entry.value))))
      }
      fields.append(("formatted", .object(formatted)))
    }
    return .object(fields)
  }

  /// An entry as lines of text: `key: value`, for each CPU where there are several.
  func text(_ entry: RawMap.Entry) throws(EBPFError) -> String {
    let key = map.keySize > 0 ? try self.key(entry.key).text + ": " : ""
    guard map.type.isPerCPU else { return key + (try value(entry.value).text) + "\n" }
    var text = ""
    for (cpu, value) in map.split(entry.value).enumerated() {
      text += "\(key)cpu \(cpu): \(try self.value(value).text)\n"
    }
    return text
  }

  private func key(_ bytes: [UInt8]) throws(EBPFError) -> BTFValue {
    guard let reader, keyType != 0 else { return .bytes(bytes) }
    return try reader.value(of: keyType, in: bytes)
  }

  private func value(_ bytes: [UInt8]) throws(EBPFError) -> BTFValue {
    // Maps of maps are read as the inner map's id.
    if map.type.holdsMaps, bytes.count == 4 {
      return .unsigned(bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
    guard let reader, valueType != 0 else { return .bytes(bytes) }
    return try reader.value(of: valueType, in: Array(bytes.prefix(map.valueSize)))
  }
}

extension BTFValue {
  /// The value on one line, much as C would write it.
  var text: String {
    switch self {
    case .signed(let value): String(value)
    case .unsigned(let value): String(value)
    case .boolean(let value): value ? "true" : "false"
    case .floating(let value): String(value)
    case .character(let byte): "'\(Character(Unicode.Scalar(byte)))'"
    case .enumerator(let name): PlainText.line(name)
    case .pointer(let value): "0x" + String(value, radix: 16)
    case .text(let text): "\"\(PlainText.line(text))\""
    case .list(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    case .fields(let fields):
      "{"
        + fields.map { "\(PlainText.line($0.name)) = \($0.value.text)" }.joined(separator: ", ")
        + "}"
    case .bytes(let bytes): bytes.map(JSONTree.twoDigits).joined(separator: " ")
    }
  }
}

/// A JSON document whose keys come from outside, and keep their order.
indirect enum JSONTree {
  case number(String)
  case text(String)
  case boolean(Bool)
  case list([JSONTree])
  case object([(String, JSONTree)])

  /// Bytes as bpftool writes them: `["0x01", …]`.
  static func hex(_ bytes: [UInt8]) -> JSONTree {
    .list(bytes.map { .text("0x" + twoDigits($0)) })
  }

  /// One value for each CPU.
  static func perCPU(_ values: [JSONTree]) -> JSONTree {
    .list(
      values.enumerated().map { cpu, value in
        .object([("cpu", .number("\(cpu)")), ("value", value)])
      })
  }

  static func twoDigits(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }

  /// A value of a type.
  init(_ value: BTFValue) {
    switch value {
    case .signed(let value): self = .number(String(value))
    case .unsigned(let value), .pointer(let value): self = .number(String(value))
    case .boolean(let value): self = .boolean(value)
    case .floating(let value):
      self = value.isFinite ? .number(String(value)) : .text(String(value))
    case .character(let byte): self = .text(String(Character(Unicode.Scalar(byte))))
    case .enumerator(let name): self = .text(name)
    case .text(let text): self = .text(text)
    case .list(let values): self = .list(values.map(JSONTree.init))
    case .fields(let fields): self = .object(fields.map { ($0.name, JSONTree($0.value)) })
    case .bytes(let bytes): self = .hex(bytes)
    }
  }

  /// The document on one line.
  var document: String {
    switch self {
    case .number(let text): text
    case .text(let text): JSONTree.quoted(text)
    case .boolean(let value): value ? "true" : "false"
    case .list(let values): "[" + values.map(\.document).joined(separator: ",") + "]"
    case .object(let fields):
      "{"
        + fields.map { JSONTree.quoted($0.0) + ":" + $0.1.document }.joined(separator: ",") + "}"
    }
  }

  /// A string (RFC 8259 § 7).
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
