/// The size of a terminal in character cells.
package struct TerminalSize: Hashable, Sendable {
  package var columns: Int
  package var rows: Int

  /// A size; a terminal that does not know its own (0) is taken for the usual 80 by 24.
  package init(columns: Int, rows: Int) {
    self.columns = columns > 0 ? columns : 80
    self.rows = rows > 0 ? rows : 24
  }
}

/// What a terminal shows, so that only what is different has to be written.
package struct TerminalPicture: Sendable {
  /// Takes the terminal over: its other screen, no cursor, no wrapping at the right edge.
  package static let enter = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l\u{1b}[0m\u{1b}[2J"
  /// Gives it back as it was.
  package static let leave = "\u{1b}[0m\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"

  private let colours: Bool
  private var shown: [String] = []
  private var size: TerminalSize?

  /// Nothing is shown yet.
  package init(colours: Bool) { self.colours = colours }

  /// Forgets what is shown: the next picture is drawn as a whole.
  package mutating func invalidate() { size = nil }

  /// What to write so that these lines are shown; nothing when they are already. Lines beyond the
  /// terminal's height are left out.
  package mutating func update(_ lines: [TerminalLine], size: TerminalSize) -> String {
    var output = ""
    let isNew = self.size != size
    if isNew {
      output += "\u{1b}[0m\u{1b}[2J"
      shown = [String](repeating: "", count: size.rows)
      self.size = size
    }
    for row in 0..<size.rows {
      let line = row < lines.count ? lines[row] : nil
      let text = line?.encoded(colours: colours) ?? ""
      guard text != shown[row] else { continue }
      output += "\u{1b}[\(row + 1);1H" + text
      // At the right edge erasing would take the last character with it.
      if (line?.columns ?? 0) < size.columns { output += "\u{1b}[K" }
      shown[row] = text
    }
    return output
  }
}
