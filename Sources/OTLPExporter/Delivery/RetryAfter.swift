/// The header `Retry-After`: a number of seconds, or a date (RFC 9110, 10.2.3).
enum RetryAfter {
  /// How long to wait; nil when the text is neither. A date in the past is no wait.
  ///
  /// - Parameter wallSeconds: the present, in seconds since 1970.
  static func parse(_ text: String, wallSeconds: Int64) -> Duration? {
    let text = text.trimmingSpaces
    if !text.isEmpty, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) {
      // A number too long for an integer is still a very long wait.
      return .seconds(min(Int64(text) ?? .max, 1 << 32))
    }
    guard let date = HTTPDate.parse(text) else { return nil }
    let (wait, overflow) = date.subtractingReportingOverflow(wallSeconds)
    return .seconds(overflow ? 1 << 32 : min(max(wait, 0), 1 << 32))
  }
}

/// Dates as HTTP writes them, in all three of its forms (RFC 9110, 5.6.7).
enum HTTPDate {
  /// Seconds since 1970; nil when the text is no such date.
  static func parse(_ text: Substring) -> Int64? {
    guard text.utf8.count <= 40 else { return nil }
    let words = text.split(separator: " ")
    switch words.count {
    case 6 where words[5] == "GMT":  // Sun, 06 Nov 1994 08:49:37 GMT
      return seconds(day: words[1], month: words[2], year: Int(words[3]), time: words[4])
    case 4 where words[3] == "GMT":  // Sunday, 06-Nov-94 08:49:37 GMT
      let parts = words[1].split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 3, let short = Int(parts[2]), (0...99).contains(short) else {
        return nil
      }
      return seconds(
        day: parts[0], month: parts[1], year: short < 70 ? 2000 + short : 1900 + short,
        time: words[2])
    case 5:  // Sun Nov  6 08:49:37 1994
      return seconds(day: words[2], month: words[1], year: Int(words[4]), time: words[3])
    default: return nil
    }
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func seconds(
    day: Substring, month: Substring, year: Int?, time: Substring
  ) -> Int64? {
    let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { UInt8($0) }
    guard let year, (1900...9999).contains(year), let day = UInt8(day), (1...31).contains(day),
      let month = months.firstIndex(of: String(month)), clock.count == 3,
      let hour = clock[0], hour < 24, let minute = clock[1], minute < 60,
      let second = clock[2], second < 61
    else { return nil }
    // Days since 1970, counting years from March so that a leap day is a year's last.
    let shifted = month < 2 ? year - 1 : year
    let dayOfYear = (153 * ((month + 10) % 12) + 2) / 5 + Int(day) - 1
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    return Int64(days) * 86_400 + Int64(hour) * 3600 + Int64(minute) * 60 + Int64(second)
  }
}
