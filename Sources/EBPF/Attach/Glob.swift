/// A pattern of function names: `*` stands for any bytes, `?` for one.
struct Glob: Sendable {
  private let pattern: [UInt8]

  init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

  /// Whether a name has to be looked up, and does not stand for itself.
  static func isPattern(_ name: String) -> Bool { name.contains { $0 == "*" || $0 == "?" } }

  func matches(_ text: String) -> Bool { matches(Array(text.utf8)[...]) }

  /// One pass with one place to go back to: the last `*`.
  func matches(_ text: ArraySlice<UInt8>) -> Bool {
    var (position, place) = (text.startIndex, 0)
    var retry: (position: Int, place: Int)?
    while position < text.endIndex {
      if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
        place += 1
        retry = (position, place)
      } else if place < pattern.count,
        pattern[place] == UInt8(ascii: "?") || pattern[place] == text[position]
      {
        position += 1
        place += 1
      } else if let last = retry {
        position = last.position + 1
        place = last.place
        retry = (position, place)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
