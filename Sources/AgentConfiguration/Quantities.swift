/// How quantities are written in a configuration.
enum Quantity {
  /// Nanoseconds: `500us`, `10ms`, `1.5s`, `5m`, `2h`; at most a year.
  static func nanoseconds(_ text: String) -> UInt64? {
    scaled(
      text, by: [("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)],
      upTo: 366 * 86_400e9)
  }

  /// Bytes: `4096`, `512KiB`, `8MiB`, `2GiB`, `16MB`; at most a tebibyte.
  static func bytes(_ text: String) -> UInt64? {
    scaled(
      text,
      by: [
        ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("kB", 1e3), ("MB", 1e6),
        ("GB", 1e9), ("B", 1), ("", 1),
      ], upTo: 1_099_511_627_776)
  }

  /// A share: `1%` is 0.01.
  static func share(_ text: String) -> Double? {
    guard text.hasSuffix("%"), let percent = Double(text.dropLast()), percent >= 0.001,
      percent <= 100_000
    else { return nil }
    return percent / 100
  }

  private static func scaled(
    _ text: String, by units: [(suffix: String, factor: Double)], upTo limit: Double
  ) -> UInt64? {
    for unit in units where text.hasSuffix(unit.suffix) {
      guard let number = Double(text.dropLast(unit.suffix.count)), number >= 0,
        number * unit.factor <= limit
      else { continue }
      return UInt64((number * unit.factor).rounded())
    }
    return nil
  }

  /// The words for a duration.
  static let durationWords = "a duration such as 500ms, 10s or 5m"
  /// The words for a size.
  static let sizeWords = "a size such as 512KiB or 16MiB"

  /// The shortest way to write a duration that ``nanoseconds(_:)`` reads as the same.
  static func text(nanoseconds: UInt64) -> String {
    let units: [(String, UInt64)] = [
      ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
      ("us", 1000),
    ]
    for (suffix, factor) in units where nanoseconds > 0 && nanoseconds % factor == 0 {
      return "\(nanoseconds / factor)\(suffix)"
    }
    return "\(nanoseconds)ns"
  }

  /// The shortest way to write a size that ``bytes(_:)`` reads as the same.
  static func text(bytes: UInt64) -> String {
    for (suffix, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)]
    where bytes > 0 && bytes % (1 << UInt64(shift)) == 0 {
      return "\(bytes >> UInt64(shift))\(suffix)"
    }
    return "\(bytes)"
  }
}
