/// Replaces references to environment variables in a value, as OpenTelemetry's declarative
/// configuration does: `${NAME}`, `${env:NAME}`, `${NAME:-default}`; `$$` is a dollar sign. A variable
/// that is not set and has no default is empty.
/// https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution
struct VariableReferences {
  let environment: [String: String]

  /// Why a value cannot be read.
  struct Failure: Error, Sendable, Hashable {
    var message: String
  }

  /// The value with every reference replaced. What a variable holds is not looked at again.
  func replaced(in text: String) throws(Failure) -> String {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
    var result = ""
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[rest.index(after: dollar)...]
      switch rest.first {
      case "$":
        result += "$"
        rest = rest.dropFirst()
      case "{":
        guard let end = rest.firstIndex(of: "}") else {
          throw Failure(message: "'${' without '}'")
        }
        result += try value(of: rest[rest.index(after: rest.startIndex)..<end])
        rest = rest[rest.index(after: end)...]
      default: result += "$"
      }
    }
    return result + rest
  }

  private func value(of reference: Substring) throws(Failure) -> String {
    var name = reference.hasPrefix("env:") ? reference.dropFirst(4) : reference
    var fallback: Substring = ""
    if let mark = name.firstIndex(of: ":") {
      guard name[mark...].hasPrefix(":-") else {
        throw Failure(
          message: "'${\(reference)}' is not a reference to a variable: ${NAME:-default}")
      }
      fallback = name[mark...].dropFirst(2)
      name = name[..<mark]
    }
    guard let first = name.utf8.first, !isDigit(first),
      name.utf8.allSatisfy({ isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "_") })
    else { throw Failure(message: "'\(name)' is not the name of a variable") }
    guard let value = environment[String(name)], !value.isEmpty else { return String(fallback) }
    return value
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= byte }

  private func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")) ~= byte | 0x20
  }
}
