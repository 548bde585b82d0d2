/// A line of columns whose widths are known before all of their words are.
///
/// The words are of printable characters (``PlainText/line(_:)``). There are no blanks at the end of a line.
struct ColumnLine {
  /// The line so far.
  private(set) var text = ""
  private var blanks = 0

  /// A word, and blanks up to the column's width; one at least.
  mutating func left(_ word: String, width: Int) {
    add(word)
    blanks += max(1, width - PlainText.columns(word))
  }

  /// Blanks up to the column's width, and a word.
  mutating func right(_ word: String, width: Int) {
    blanks += max(0, width - PlainText.columns(word))
    add(word)
  }

  /// Blanks between two columns.
  mutating func skip(_ count: Int) { blanks += count }

  /// A word of any width.
  mutating func add(_ word: String) {
    guard !word.isEmpty else { return }
    Self.append(blanks: blanks, to: &text)
    blanks = 0
    text += word
  }

  /// Appends so many blanks.
  static func append(blanks: Int, to text: inout String) {
    var rest = blanks
    while rest > 0 {
      let count = min(rest, someBlanks.count - 1)
      text += someBlanks[count]
      rest -= count
    }
  }

  /// 0 to 31 blanks.
  private static let someBlanks = (0..<32).map { String(repeating: " ", count: $0) }
}
