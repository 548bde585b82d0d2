/// Numbers as a person reads them.
enum Figures {
  /// `1,234,567`.
  static func count(_ value: UInt64) -> String {
    guard value >= 1000 else { return String(value) }
    var digits = Array(String(value))
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: place)
      place -= 3
    }
    return String(digits)
  }

  /// `3.2 s`.
  static func seconds(_ value: Double) -> String { fixed(value, decimals: 1) + " s" }

  /// `12.3 MB`, in powers of ten.
  static func bytes(_ value: UInt64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var amount = Double(value)
    var unit = 0
    while amount >= 1000, unit < units.count - 1 {
      amount /= 1000
      unit += 1
    }
    return fixed(amount, decimals: unit == 0 ? 0 : 1) + " " + units[unit]
  }

  /// `850 ns`, `12.3 µs`, `4.0 ms`, `1.5 s`.
  static func nanoseconds(_ value: UInt64) -> String {
    let amount = Double(value)
    if value < 1000 { return "\(value) ns" }
    if value < 1_000_000 { return fixed(amount / 1e3, decimals: 1) + " µs" }
    if value < 1_000_000_000 { return fixed(amount / 1e6, decimals: 1) + " ms" }
    return fixed(amount / 1e9, decimals: 1) + " s"
  }

  /// `0.31 %`.
  static func percent(_ value: Double) -> String { fixed(value, decimals: 2) + " %" }

  /// A number with a fixed number of decimals, rounded; locale plays no part.
  static func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int64((abs(value) * scale).rounded())
    let sign = value < 0 && scaled != 0 ? "-" : ""
    guard decimals > 0 else { return sign + String(scaled) }
    let digits = String(scaled)
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }
}
