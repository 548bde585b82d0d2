/// A column of a live table.
package struct LiveColumn: Hashable, Sendable {
  /// Its heading.
  package var title: String
  /// Figures stand at the right.
  package var isRightAligned: Bool
  /// Where there is too little room, columns with the highest number go first; 0 stays.
  package var rank: Int
  /// The widest it becomes; the last column takes the room that is left instead.
  package var widest: Int

  /// A column of text.
  package static func text(_ title: String, rank: Int = 0, widest: Int = 24) -> LiveColumn {
    LiveColumn(title: title, isRightAligned: false, rank: rank, widest: widest)
  }

  /// A column of figures.
  package static func figure(_ title: String, rank: Int = 0) -> LiveColumn {
    LiveColumn(title: title, isRightAligned: true, rank: rank, widest: 16)
  }
}

/// One cell: what is shown, and what it is sorted by.
package struct LiveCell: Hashable, Sendable {
  /// What a cell is sorted by.
  package enum Value: Hashable, Sendable {
    case text(String)
    case number(Double)
  }

  package var text: String
  package var value: Value
  package var style: TerminalStyle

  /// A cell of text, sorted as text.
  package static func text(_ text: String, _ style: TerminalStyle = []) -> LiveCell {
    LiveCell(text: text, value: .text(text), style: style)
  }

  /// A cell of a figure, sorted by the number.
  package static func figure(
    _ text: String, _ number: Double, _ style: TerminalStyle = []
  ) -> LiveCell {
    LiveCell(text: text, value: .number(number.isNaN ? 0 : number), style: style)
  }
}

/// One row of a live table.
package struct LiveRow: Hashable, Sendable {
  /// What tells it from the others, also at the next refresh.
  package var id: String
  package var cells: [LiveCell]

  package init(id: String, cells: [LiveCell]) {
    self.id = id
    self.cells = cells
  }
}

/// A table that is shown again and again with new rows.
package struct LiveTable: Hashable, Sendable {
  /// What the rows are: `connections`.
  package var name: String
  package var columns: [LiveColumn]
  /// The column that rows are sorted by unless the user chooses another.
  package var sortColumn: Int
  package var rows: [LiveRow]
  /// Shown when there are no rows.
  package var empty: String
  /// True when a row has more to show.
  package var hasDetails: Bool

  package init(
    name: String, columns: [LiveColumn], sortColumn: Int, rows: [LiveRow] = [], empty: String,
    hasDetails: Bool = true
  ) {
    self.name = name
    self.columns = columns
    self.sortColumn = sortColumn
    self.rows = rows
    self.empty = empty
    self.hasDetails = hasDetails
  }
}

/// Everything that a tracer has to show at one moment.
package struct LiveContent: Hashable, Sendable {
  /// What is traced and for how long: parts of the first line, the most important first.
  package var title: [String]
  /// What was recorded and what it cost: parts of the second line.
  package var status: [String]
  /// Something that must not be overlooked, such as losses; empty for nothing.
  package var warning: String
  /// At least one.
  package var tables: [LiveTable]

  package init(
    title: [String], status: [String] = [], warning: String = "", tables: [LiveTable]
  ) {
    precondition(!tables.isEmpty, "a live view shows at least one table")
    self.title = title
    self.status = status
    self.warning = warning
    self.tables = tables
  }
}
