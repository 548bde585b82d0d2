import EBPF
import TestSupport
import Testing

/// bpftool as the oracle for the contents of maps.
enum BPFTool {
  /// Every entry as bpftool prints it: key → one value for each CPU.
  static func dump(_ map: RawMap) throws -> [[UInt8]: [[UInt8]]] {
    let text = try run(["map", "dump", "id", String(map.id)], ["-j"])
    let rows = try JSON(parsing: text).array
    var entries: [[UInt8]: [[UInt8]]] = [:]
    for row in rows {
      let key = try row["key"].bytes
      if let values = try? row["values"].array {
        entries[key] = try values.map { try $0["value"].bytes }
      } else {
        entries[key] = [try row["value"].bytes]
      }
    }
    return entries
  }

  /// Writes an entry; for per-CPU maps bpftool takes one value and writes it for each CPU.
  static func update(_ map: RawMap, _ key: [UInt8], _ value: [UInt8]) throws {
    _ = try run(
      ["map", "update", "id", String(map.id), "key", "hex"] + key.map(hex) + ["value", "hex"]
        + value.map(hex))
  }

  /// One value.
  static func lookup(_ map: RawMap, _ key: [UInt8]) throws -> [UInt8] {
    try value(["map", "lookup", "id", String(map.id), "key", "hex"] + key.map(hex))
  }

  /// Puts a map into a slot of a map of maps.
  static func setInnerMap(_ outer: RawMap, _ key: [UInt8], _ inner: RawMap) throws {
    _ = try run(
      ["map", "update", "id", String(outer.id), "key", "hex"] + key.map(hex)
        + ["value", "id", String(inner.id)])
  }

  /// The next value of a queue or stack, which stays.
  static func peek(_ map: RawMap) throws -> [UInt8] {
    try value(["map", "peek", "id", String(map.id)])
  }

  /// The next value of a queue or stack, which goes.
  static func pop(_ map: RawMap) throws -> [UInt8] {
    try value(["map", "pop", "id", String(map.id)])
  }

  /// Adds a value to a queue or stack.
  static func push(_ map: RawMap, _ value: [UInt8]) throws {
    _ = try run(["map", "push", "id", String(map.id), "value", "hex"] + value.map(hex))
  }

  private static func value(_ arguments: [String]) throws -> [UInt8] {
    try JSON(parsing: run(arguments, ["-j"]))["value"].bytes
  }

  static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  private static func run(_ arguments: [String], _ options: [String] = []) throws -> String {
    let result = try Command.run(["bpftool"] + options + arguments)
    try #require(result.status == 0, "bpftool: \(result.error)\(result.output)")
    return result.output
  }
}

/// The little of JSON that bpftool writes here.
indirect enum JSON {
  case text(String)
  case number(Int)
  case list([JSON])
  case object([String: JSON])

  struct Failure: Error {}

  init(parsing text: String) throws {
    var rest = Substring(text)
    self = try JSON.value(&rest)
  }

  var array: [JSON] {
    get throws {
      guard case .list(let items) = self else { throw Failure() }
      return items
    }
  }

  /// A list of `"0x1f"`.
  var bytes: [UInt8] {
    get throws {
      try array.map { item in
        guard case .text(let digits) = item, let byte = UInt8(digits.dropFirst(2), radix: 16) else {
          throw Failure()
        }
        return byte
      }
    }
  }

  subscript(name: String) -> JSON {
    get throws {
      guard case .object(let members) = self, let member = members[name] else { throw Failure() }
      return member
    }
  }

  private static func value(_ rest: inout Substring) throws -> JSON {
    rest = rest.drop(while: \.isWhitespace)
    switch rest.first {
    case "[":
      rest.removeFirst()
      var items: [JSON] = []
      while try !close("]", &rest) { items.append(try value(&rest)) }
      return .list(items)
    case "{":
      rest.removeFirst()
      var members: [String: JSON] = [:]
      while try !close("}", &rest) {
        guard case .text(let name) = try value(&rest) else { throw Failure() }
        rest = rest.drop { $0 == ":" || $0.isWhitespace }
        members[name] = try value(&rest)
      }
      return .object(members)
    case "\"":
      rest.removeFirst()
      let text = rest.prefix { $0 != "\"" }
      rest = rest.dropFirst(text.count + 1)
      return .text(String(text))
    default:
      let digits = rest.prefix { $0.isNumber || $0 == "-" }
      guard let number = Int(digits) else { throw Failure() }
      rest = rest.dropFirst(digits.count)
      return .number(number)
    }
  }

  private static func close(_ end: Character, _ rest: inout Substring) throws -> Bool {
    rest = rest.drop { $0 == "," || $0.isWhitespace }
    guard let next = rest.first else { throw Failure() }
    guard next == end else { return false }
    rest.removeFirst()
    return true
  }
}
