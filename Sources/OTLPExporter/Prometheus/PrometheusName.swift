/// Names and units of OpenTelemetry as Prometheus writes them (OpenTelemetry's "Prometheus and
/// OpenMetrics Compatibility").
enum PrometheusName {
  /// What a metric's name ends with, beside its unit.
  enum Kind: Hashable {
    case gauge, counter, histogram, summary
  }

  /// A metric's name: without characters Prometheus does not take, with unit and kind at its end.
  static func metric(_ name: String, unit: String, kind: Kind) -> String {
    var result = sanitized(name, allowsColon: true)
    let suffix = unit == "1" ? (kind == .gauge ? "ratio" : "") : PrometheusName.unit(unit)
    let isCounter = kind == .counter
    if isCounter, result.hasSuffix("_total") { result.removeLast(6) }
    let isNamed = words(result).contains(Substring(suffix)) || result.hasSuffix("_\(suffix)")
    if !suffix.isEmpty, !isNamed {
      result += "_\(suffix)"
    }
    return isCounter ? result + "_total" : result
  }

  /// A label's name; `key` may be any text. Never begins with two underscores: such names are
  /// Prometheus's own.
  static func label(_ key: String) -> String { sanitized(key, allowsColon: false) }

  private static func sanitized(_ text: String, allowsColon: Bool) -> String {
    var result: [UInt8] = []
    for scalar in text.unicodeScalars {
      let byte = UInt8(exactly: scalar.value) ?? 0
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        if result.isEmpty, byte <= UInt8(ascii: "9") { result.append(UInt8(ascii: "_")) }
        result.append(byte)
      case UInt8(ascii: ":") where allowsColon: result.append(byte)
      default:
        if result.last != UInt8(ascii: "_") { result.append(UInt8(ascii: "_")) }
      }
    }
    return result.isEmpty ? "_" : String(decoding: result, as: UTF8.self)
  }

  private static func words(_ name: String) -> [Substring] { name.split(separator: "_") }

  /// A unit in words: `By` is bytes, `By/s` is bytes_per_second, what stands in braces is no unit.
  static func unit(_ unit: String) -> String {
    var plain = ""
    var depth = 0
    for character in unit {
      if character == "{" {
        depth += 1
      } else if character == "}" {
        depth -= 1
      } else if depth <= 0 {
        plain.append(character)
      }
    }
    let parts = plain.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      .map { String($0.trimmingSpaces) }
    let main = parts.first.map { plural[$0] ?? cleaned($0) } ?? ""
    guard parts.count == 2, !parts[1].isEmpty else { return main }
    let per = "per_\(singular[parts[1]] ?? cleaned(parts[1]))"
    return main.isEmpty ? per : "\(main)_\(per)"
  }

  private static func cleaned(_ text: String) -> String {
    let result = text.isEmpty ? "" : sanitized(text, allowsColon: false)
    return String(result.drop { $0 == "_" }.reversed().drop { $0 == "_" }.reversed())
  }

  private static let plural = [
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds",
    "us": "microseconds", "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes",
    "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes", "KBy": "kilobytes",
    "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes", "m": "meters", "V": "volts",
    "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius", "Hz": "hertz",
    "1": "", "%": "percent",
  ]

  private static let singular = [
    "s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year",
  ]
}
