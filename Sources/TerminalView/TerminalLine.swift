/// How text looks.
package struct TerminalStyle: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let bold = TerminalStyle(rawValue: 1 << 0)
  package static let dim = TerminalStyle(rawValue: 1 << 1)
  package static let inverse = TerminalStyle(rawValue: 1 << 2)
  package static let red = TerminalStyle(rawValue: 1 << 3)
  package static let green = TerminalStyle(rawValue: 1 << 4)
  package static let yellow = TerminalStyle(rawValue: 1 << 5)
  /// The styles that are colours.
  static let colours: TerminalStyle = [.red, .green, .yellow]

  /// The parameters of SGR (ECMA-48 § 8.3.117), beginning with a reset.
  func sequence(colours usesColours: Bool) -> String {
    let style = usesColours ? self : subtracting(.colours)
    guard !style.isEmpty else { return "\u{1b}[0m" }
    var codes = "0"
    let all: [(TerminalStyle, String)] = [
      (.bold, ";1"), (.dim, ";2"), (.inverse, ";7"), (.red, ";31"), (.green, ";32"),
      (.yellow, ";33"),
    ]
    for (one, code) in all where style.contains(one) { codes += code }
    return "\u{1b}[\(codes)m"
  }
}

/// One line of the screen: text in styles, never wider than it was made for.
package struct TerminalLine: Hashable, Sendable {
  private struct Span: Hashable, Sendable {
    var text: TerminalText
    var style: TerminalStyle
  }

  private var spans: [Span] = []
  /// How wide it may become.
  private let width: Int
  /// How wide it is.
  package private(set) var columns = 0

  /// An empty line.
  package init(width: Int) { self.width = max(0, width) }

  /// Adds text, cut where the line is full.
  package mutating func append(_ text: TerminalText, _ style: TerminalStyle = []) {
    let fitting = text.cut(to: width - columns)
    guard fitting.columns > 0 else { return }
    spans.append(Span(text: fitting, style: style))
    columns += fitting.columns
  }

  /// Adds text, made safe and cut where the line is full.
  package mutating func append(_ text: String, _ style: TerminalStyle = []) {
    append(TerminalText(text), style)
  }

  /// Adds blanks up to a column.
  package mutating func fill(to column: Int, _ style: TerminalStyle = []) {
    let count = min(column, width) - columns
    if count > 0 { append(String(repeating: " ", count: count), style) }
  }

  /// Its text without styles.
  package var text: String { spans.map(\.text.text).joined() }

  /// Its text with the sequences that style it; ends without a style.
  func encoded(colours: Bool) -> String {
    var result = ""
    var current: TerminalStyle = []
    for span in spans {
      if span.style != current {
        result += span.style.sequence(colours: colours)
        current = span.style
      }
      result += span.text.text
    }
    return current.isEmpty ? result : result + "\u{1b}[0m"
  }
}
