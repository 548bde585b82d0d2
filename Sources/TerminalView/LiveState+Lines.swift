/// How a live view looks on a terminal of its size.
///
/// From the top: the title, the figures, a warning if there is one, the head of the table, its rows,
/// and a line that says what keys do. Where there are few lines the rows come first, then the title.
extension LiveState {
  private var warningRows: Int { content.warning.isEmpty || size.rows < 8 ? 0 : 1 }
  private var showsStatus: Bool { size.rows >= 6 }
  private var showsKeys: Bool { size.rows >= 4 || isTyping }
  private var headRows: Int { size.rows >= 3 ? 1 : 0 }
  private var titleRows: Int { size.rows >= 2 ? 1 : 0 }

  private var isTyping: Bool {
    if case .filter = mode { true } else { false }
  }

  /// How many rows of the table there is room for.
  var rowHeight: Int {
    let others =
      titleRows + (showsStatus ? 1 : 0) + warningRows + headRows + (showsKeys ? 1 : 0)
    return max(0, size.rows - others)
  }

  /// How many lines of help or details there is room for.
  var textHeight: Int { max(0, size.rows - titleRows - (showsKeys ? 1 : 0)) }

  /// The lines of the screen, from the top; exactly as many as it has, none wider than it is.
  package var lines: [TerminalLine] {
    var lines: [TerminalLine] = []
    switch mode {
    case .help:
      lines += heading("Keys")
      lines += text(LiveHelp.lines)
    case .details:
      lines += heading(details?.title ?? "")
      lines += text(details?.lines ?? [])
    case .table, .filter:
      lines += top
      lines += tableLines
    }
    let bottom = showsKeys ? 1 : 0
    while lines.count < size.rows - bottom { lines.append(TerminalLine(width: size.columns)) }
    lines.removeLast(max(0, lines.count - (size.rows - bottom)))
    if showsKeys { lines.append(bottomLine) }
    return lines
  }

  private func line(_ text: String = "", _ style: TerminalStyle = []) -> TerminalLine {
    var line = TerminalLine(width: size.columns)
    line.append(text, style)
    return line
  }

  // MARK: - Parts

  private var top: [TerminalLine] {
    var lines: [TerminalLine] = []
    if titleRows == 1 { lines.append(title) }
    if showsStatus { lines.append(line(content.status.joined(separator: ", "), .dim)) }
    if warningRows == 1 { lines.append(line(content.warning, [.bold, .red])) }
    return lines
  }

  private var title: TerminalLine {
    var line = TerminalLine(width: size.columns)
    if isPaused { line.append("PAUSED", [.bold, .yellow, .inverse]) }
    for part in content.title {
      if line.columns > 0 { line.append("  ") }
      line.append(part, .bold)
    }
    if content.tables.count > 1 {
      for (index, table) in content.tables.enumerated() {
        line.append(index == 0 ? "   " : " ")
        line.append(" \(table.name) ", index == self.table ? [.inverse] : [])
      }
    }
    return line
  }

  private func heading(_ text: String) -> [TerminalLine] {
    titleRows == 1 ? [line(text, .bold)] : []
  }

  private func text(_ lines: [String]) -> [TerminalLine] {
    lines.dropFirst(firstLine).prefix(textHeight).map { line($0) }
  }

  private var tableLines: [TerminalLine] {
    let table = content.tables[self.table]
    let view = views[self.table]
    let rows = rows
    let visible = rows.dropFirst(view.firstVisible).prefix(rowHeight)
    let layout = LiveLayout(table: table, rows: visible, width: size.columns)
    var lines: [TerminalLine] = []
    if headRows == 1 {
      lines.append(
        layout.head(
          width: size.columns, sorted: view.sortColumn(of: table), isReversed: view.isReversed))
    }
    guard !rows.isEmpty else {
      let text =
        table.rows.isEmpty ? table.empty : "no row has \"\(filter)\"; Esc shows all of them"
      return rowHeight > 0 ? lines + [line(text, .dim)] : lines
    }
    let marked = view.marked(in: rows)
    for (index, row) in zip(visible.indices, visible) {
      lines.append(layout.line(row, width: size.columns, isMarked: index == marked))
    }
    return lines
  }

  private var bottomLine: TerminalLine {
    switch mode {
    case .filter:
      var typed = TerminalLine(width: size.columns)
      typed.append("filter: ", .bold)
      typed.append(filter)
      typed.append(" ", .inverse)
      return typed
    case .help, .details:
      return keys([("q", "back"), ("j k", "scroll"), ("p", isPaused ? "resume" : "pause")])
    case .table:
      var all = [("q", "quit"), ("p", isPaused ? "resume" : "pause"), ("s", "sort")]
      all.append(("/", filter.isEmpty ? "filter" : "filter: \(filter)"))
      if content.tables[table].hasDetails { all.append(("Enter", "details")) }
      if content.tables.count > 1 { all.append(("Tab", "table")) }
      all.append(("+ -", "\(LiveState.text(interval)) s"))
      all.append(("?", "help"))
      return keys(all)
    }
  }

  private func keys(_ all: [(String, String)]) -> TerminalLine {
    var line = TerminalLine(width: size.columns)
    for (key, what) in all {
      if line.columns > 0 { line.append("  ") }
      line.append(key, .bold)
      line.append(" " + what, .dim)
    }
    return line
  }

  /// `0.5`, `2`.
  static func text(_ seconds: Double) -> String {
    let tenths = Int((min(max(seconds, 0), 1e6) * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}

/// What the keys do.
enum LiveHelp {
  static let lines = [
    "q              end the recording and print its result (Ctrl-C does the same)",
    "p, space       pause: nothing is recorded until it is pressed again",
    "s, right       sort by the next column;  S, left: by the one before",
    "r              the other way round",
    "/              show only rows with a text;  Esc: all again",
    "j k, arrows    one row;  PgUp PgDn: a page;  g G, Home End: first and last",
    "Enter          more about the marked row",
    "Tab            the next table",
    "+ -            refresh less often, more often",
    "Ctrl-L         draw the screen anew",
    "Ctrl-Z         to the shell, while the kernel goes on counting;  'fg' comes back",
    "? h            this help",
  ]
}
