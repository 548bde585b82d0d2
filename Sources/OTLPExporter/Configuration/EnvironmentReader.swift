internal import OTLP

/// Reads typed values from environment variables, and remembers those that have no meaning.
struct EnvironmentReader {
  private let values: [String: String]
  var warnings: [String] = []

  init(_ values: [String: String]) { self.values = values }

  /// A time limit; `limit` is nil for "none", which the specification writes as 0.
  struct TimeLimit: Hashable {
    var limit: Duration?
  }

  /// The value, without spaces around it; an empty one counts as not set.
  func text(_ name: String) -> String? {
    guard let value = values[name]?.trimmingSpaces, !value.isEmpty else { return nil }
    return String(value)
  }

  /// A signal's own `OTEL_EXPORTER_OTLP_…` variable, else the general one.
  func first(_ suffix: String, _ signal: TelemetrySignal) -> (name: String, text: String)? {
    for name in [
      "OTEL_EXPORTER_OTLP_\(signal.variableName)_\(suffix)", "OTEL_EXPORTER_OTLP_\(suffix)",
    ] {
      if let text = text(name) { return (name, text) }
    }
    return nil
  }

  /// `true` or `false`, in any case.
  mutating func boolean(_ name: String) -> Bool? {
    guard let text = text(name) else { return nil }
    switch text.lowercased() {
    case "true": return true
    case "false": return false
    default:
      // The specification: whatever is not `true` is false.
      warn(name, text, "true or false", kept: "false")
      return nil
    }
  }

  /// A signal's `…_INSECURE`, which says how an endpoint without a scheme is meant.
  mutating func insecure(_ signal: TelemetrySignal) -> Bool? {
    guard let (name, _) = first("INSECURE", signal) else { return nil }
    return boolean(name)
  }

  /// A decimal number in a range.
  mutating func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
    guard let text = text(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      warn(name, text, "a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return number
  }

  /// Milliseconds; 0 is no limit.
  mutating func duration(_ name: String) -> TimeLimit? {
    integer(name, 0...Int(Int32.max)).map {
      TimeLimit(limit: $0 == 0 ? nil : .milliseconds($0))
    }
  }

  /// Milliseconds of a signal's own variable, else of the general one.
  mutating func duration(_ signal: TelemetrySignal, _ suffix: String) -> TimeLimit? {
    guard let (name, _) = first(suffix, signal) else { return nil }
    return duration(name)
  }

  /// Remembers a value without meaning, once.
  mutating func warn(_ name: String, _ text: String, _ expected: String, kept: String? = nil) {
    let shown = text.unicodeScalars.prefix(80).map {
      $0.value < 0x20 || $0.value == 0x7f ? "?" : String(Character($0))
    }.joined()
    let rest = kept.map { "the default, \($0), is kept" } ?? "the default is kept"
    let warning = "\(name) is '\(shown)' and not \(expected); \(rest)"
    if !warnings.contains(warning) { warnings.append(warning) }
  }
}
