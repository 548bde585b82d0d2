/// Text that may be written to a terminal at any place: on one line, without anything that a terminal
/// obeys.
///
/// Names of commands, files and functions are their authors': an escape sequence in one must not move
/// the cursor, and a change of writing direction must not turn a line around.
package struct TerminalText: Hashable, Sendable {
  /// The text.
  package let text: String
  /// How many columns it takes.
  package let columns: Int

  /// Makes text safe: what a terminal might obey becomes U+FFFD, what only joins characters is left
  /// out.
  package init(_ text: String) {
    if DisplayWidth.isPlain(text) {
      self.text = text
      columns = text.utf8.count
      return
    }
    var safe = String.UnicodeScalarView()
    var columns = 0
    for scalar in text.unicodeScalars {
      guard let scalar = TerminalText.safe(scalar) else { continue }
      safe.append(scalar)
      columns += DisplayWidth.columns(scalar)
    }
    self.text = String(safe)
    self.columns = columns
  }

  private init(safe text: String, columns: Int) {
    self.text = text
    self.columns = columns
  }

  /// As much of it as fits into `width` columns, ending in an ellipsis when something is left out.
  package func cut(to width: Int) -> TerminalText {
    guard columns > width else { return self }
    guard width > 0 else { return TerminalText(safe: "", columns: 0) }
    var kept = String.UnicodeScalarView()
    var used = 0
    for scalar in text.unicodeScalars {
      let columns = DisplayWidth.columns(scalar)
      if used + columns > width - 1 { break }
      kept.append(scalar)
      used += columns
    }
    kept.append("…")
    return TerminalText(safe: String(kept), columns: used + 1)
  }

  /// Exactly `width` columns: cut, or filled with blanks.
  package func padded(to width: Int, rightAligned: Bool = false) -> TerminalText {
    let cut = cut(to: width)
    let blanks = String(repeating: " ", count: max(0, width - cut.columns))
    return TerminalText(
      safe: rightAligned ? blanks + cut.text : cut.text + blanks, columns: max(0, width))
  }

  private static func safe(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    if scalar.properties.isVariationSelector { return nil }
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return "\u{fffd}"
    // Those that turn the direction of writing are told; joiners and soft hyphens are not.
    case .format: return scalar.properties.isBidiControl ? "\u{fffd}" : nil
    default: return scalar
    }
  }
}
