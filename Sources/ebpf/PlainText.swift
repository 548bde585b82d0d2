/// Text that came from a file or the kernel, made safe for a terminal.
///
/// Names in an object file are its author's: an escape sequence in one must not move the cursor, and
/// a change of writing direction must not turn a line around.
enum PlainText {
  /// The text on one line; control characters become U+FFFD.
  static func line(_ text: String) -> String { safe(text) { _ in false } }

  /// The text with its line ends and tabs; other control characters become U+FFFD.
  static func lines(_ text: String) -> String { safe(text) { $0 == "\n" || $0 == "\t" } }

  /// How many columns a text on one line takes on a terminal, as far as that can be known.
  static func columns(_ text: String) -> Int {
    isPlain(text) ? text.utf8.count : text.count
  }

  /// Words joined by commas, or another separator, broken into lines of at most `width` columns.
  static func wrapped(_ words: [String], separator: String = ",", width: Int) -> [String] {
    var lines: [String] = []
    var current = ""
    var used = 0
    for (index, word) in words.enumerated() {
      let next = line(word)
      let end = index == words.count - 1 ? "" : separator
      let columns = columns(next) + end.utf8.count
      if used > 0, used + 1 + columns > width {
        lines.append(current)
        current = ""
        used = 0
      }
      if used > 0 {
        current += " "
        used += 1
      }
      current += next
      current += end
      used += columns
    }
    return current.isEmpty ? lines : lines + [current]
  }

  private static func safe(_ text: String, keeping isKept: (Unicode.Scalar) -> Bool) -> String {
    guard !isPlain(text),
      text.unicodeScalars.contains(where: { isControl($0) && !isKept($0) })
    else { return text }
    var safe = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      safe.append(isControl(scalar) && !isKept(scalar) ? "\u{fffd}" : scalar)
    }
    return String(safe)
  }

  /// True for a text of printable ASCII: nearly every one.
  private static func isPlain(_ text: String) -> Bool {
    let bytes = text.utf8Span.span
    for index in bytes.indices where bytes[index] < 0x20 || bytes[index] > 0x7e { return false }
    return true
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // C0, DEL and C1; the embeddings, overrides and isolates of the bidirectional algorithm.
    case 0..<0x20, 0x7f..<0xa0, 0x202a...0x202e, 0x2066...0x2069: true
    default: false
    }
  }
}
