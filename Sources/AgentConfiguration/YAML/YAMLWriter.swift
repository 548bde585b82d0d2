/// Writes mappings as YAML text, one key a line.
struct YAMLWriter {
  private(set) var text = ""
  private var depth = 0

  /// `key: value`.
  mutating func line(_ key: String, _ value: some CustomStringConvertible) {
    text += "\(indent)\(YAMLWriter.quoted(key)): \(YAMLWriter.quoted(value.description))\n"
  }

  /// `key: [value, value]`; nothing when there are none.
  mutating func list(_ key: String, _ values: [some CustomStringConvertible]) {
    guard !values.isEmpty else { return }
    let items = values.map { YAMLWriter.quoted($0.description) }.joined(separator: ", ")
    text += "\(indent)\(YAMLWriter.quoted(key)): [\(items)]\n"
  }

  /// `key:` and what is in it, one step to the right; `key: {}` when nothing is.
  mutating func group(_ key: String, _ body: (inout YAMLWriter) -> Void) {
    var inner = YAMLWriter()
    inner.depth = depth + 1
    body(&inner)
    text += "\(indent)\(YAMLWriter.quoted(key)):" + (inner.text.isEmpty ? " {}\n" : "\n")
    text += inner.text
  }

  private var indent: String { String(repeating: "  ", count: depth) }

  /// The text as a scalar: plain where nothing in it means anything to YAML, or to those who replace
  /// references in it.
  private static func quoted(_ text: String) -> String {
    let isPlain =
      !text.isEmpty && text != "null" && text != "~"
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "/"),
          UInt8(ascii: "_"), UInt8(ascii: "%"):
          true
        case UInt8(ascii: "-"): text != "-"
        default: false
        }
      }
      && text.utf8.first != UInt8(ascii: "-") && text.utf8.first != UInt8(ascii: "%")
    if isPlain { return text }
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "$": result += "$$"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F {
          let hex = String(scalar.value, radix: 16)
          result += "\\x" + (hex.count == 1 ? "0" : "") + hex
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
