/// Which columns of a table are shown, and how wide.
struct LiveLayout {
  /// Between two columns.
  private static let gap = 2
  /// The last column is not narrower than this while others can go.
  private static let narrowest = 16

  private let columns: [LiveColumn]
  private let shown: [Int]
  private let widths: [Int]

  /// Lays out the visible rows of a table.
  init(table: LiveTable, rows: ArraySlice<LiveRow>, width: Int) {
    columns = table.columns
    var natural = table.columns.map { DisplayWidth.columns($0.title) + 1 }
    for row in rows {
      for (index, cell) in row.cells.enumerated() where natural.indices.contains(index) {
        natural[index] = max(natural[index], TerminalText(cell.text).columns)
      }
    }
    let last = table.columns.count - 1
    for index in natural.indices where index != last {
      natural[index] = min(natural[index], max(1, table.columns[index].widest))
    }
    var shown = Array(table.columns.indices)
    func need(_ shown: [Int]) -> Int {
      shown.reduce(0) { $0 + (($1 == last) ? min(natural[$1], LiveLayout.narrowest) : natural[$1]) }
        + LiveLayout.gap * max(0, shown.count - 1)
    }
    while need(shown) > width,
      let index = shown.indices.max(by: { LiveLayout.goesLater(shown[$0], shown[$1], table) }),
      table.columns[shown[index]].rank > 0
    {
      shown.remove(at: index)
    }
    var widths = shown.map { natural[$0] }
    if let end = widths.indices.last, shown[end] == last {
      let others = widths.dropLast().reduce(0) { $0 + $1 + LiveLayout.gap }
      widths[end] = max(0, width - others)
    }
    self.shown = shown
    self.widths = widths
  }

  /// True when `left` stays longer than `right`.
  private static func goesLater(_ left: Int, _ right: Int, _ table: LiveTable) -> Bool {
    (table.columns[left].rank, left) < (table.columns[right].rank, right)
  }

  /// The heading; the column that rows are sorted by is marked.
  func head(width: Int, sorted: Int, isReversed: Bool) -> TerminalLine {
    var line = TerminalLine(width: width)
    for (position, index) in shown.enumerated() {
      if position > 0 { line.fill(to: line.columns + LiveLayout.gap, .inverse) }
      let arrow = index == sorted ? (isReversed ? "▴" : "▾") : ""
      let title = TerminalText(columns[index].title + arrow)
      line.append(
        title.padded(to: widths[position], rightAligned: columns[index].isRightAligned),
        index == sorted ? [.inverse, .bold] : .inverse)
    }
    line.fill(to: width, .inverse)
    return line
  }

  /// A row; the marked one is shown the other way round.
  func line(_ row: LiveRow, width: Int, isMarked: Bool) -> TerminalLine {
    var line = TerminalLine(width: width)
    let mark: TerminalStyle = isMarked ? .inverse : []
    for (position, index) in shown.enumerated() {
      if position > 0 { line.fill(to: line.columns + LiveLayout.gap, mark) }
      let cell = row.cells.indices.contains(index) ? row.cells[index] : .text("")
      let text = TerminalText(cell.text)
        .padded(to: widths[position], rightAligned: columns[index].isRightAligned)
      line.append(text, isMarked ? mark : cell.style)
    }
    if isMarked { line.fill(to: width, mark) }
    return line
  }
}
