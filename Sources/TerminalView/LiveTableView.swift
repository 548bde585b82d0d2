/// How the user looks at one table: order, filter, place.
struct LiveTableView: Hashable, Sendable {
  /// The column the user sorts by; nil for the table's own choice.
  var sortColumn: Int?
  /// The other way round: figures from the smallest, text from the last.
  var isReversed = false
  /// The row the user went to; nil while the first one is marked, whichever that is.
  var markedID: String?
  /// Its place when it was last there.
  var markedIndex = 0
  /// The first row on the screen.
  var firstVisible = 0

  /// The column that rows are sorted by.
  func sortColumn(of table: LiveTable) -> Int {
    let column = sortColumn ?? table.sortColumn
    return table.columns.indices.contains(column) ? column : 0
  }

  /// The rows that pass the filter, in order.
  func rows(of table: LiveTable, filter: String) -> [LiveRow] {
    let word = filter.lowercased()
    var rows = table.rows
    if !word.isEmpty {
      rows.removeAll { row in !row.cells.contains { $0.text.lowercased().contains(word) } }
    }
    let column = sortColumn(of: table)
    // The values first, so that comparing is cheap; rows with equal ones keep one order.
    let keyed = rows.map { row in
      (value: row.cells.indices.contains(column) ? row.cells[column].value : .text(""), row: row)
    }
    return keyed.sorted { left, right in
      switch LiveTableView.order(left.value, right.value) {
      case 0: left.row.id < right.row.id
      case let order: isReversed ? order > 0 : order < 0
      }
    }
    .map(\.row)
  }

  /// Large figures come first, text as in a dictionary: −1 when `left` is before `right`.
  private static func order(_ left: LiveCell.Value, _ right: LiveCell.Value) -> Int {
    switch (left, right) {
    case (.number(let left), .number(let right)): left > right ? -1 : left < right ? 1 : 0
    case (.text(let left), .text(let right)): left < right ? -1 : left > right ? 1 : 0
    case (.number, .text): -1
    case (.text, .number): 1
    }
  }

  /// Where the marked row is now; nil when there are none.
  func marked(in rows: [LiveRow]) -> Int? {
    guard !rows.isEmpty else { return nil }
    guard let markedID else { return 0 }
    return rows.firstIndex { $0.id == markedID } ?? min(markedIndex, rows.count - 1)
  }

  /// Marks the row so many places further down, as far as there are rows.
  mutating func move(by distance: Int, in rows: [LiveRow]) {
    guard let marked = marked(in: rows) else { return }
    let (sum, overflow) = marked.addingReportingOverflow(distance)
    let index = overflow ? (distance > 0 ? rows.count - 1 : 0) : min(max(sum, 0), rows.count - 1)
    markedIndex = index
    markedID = index == 0 ? nil : rows[index].id
  }

  /// Scrolls so that the marked row is one of `height` visible ones.
  mutating func scroll(height: Int, rows: [LiveRow]) {
    let marked = marked(in: rows) ?? 0
    if markedID != nil { markedIndex = marked }
    guard height > 0 else { return }
    if marked < firstVisible { firstVisible = marked }
    if marked - firstVisible >= height { firstVisible = marked - height + 1 }
    firstVisible = max(0, min(firstVisible, rows.count - height))
  }
}
