/// What the driver of a live view has to do after a key.
package enum LiveAction: Hashable, Sendable {
  /// Draw: only the view has changed, or nothing.
  case none
  /// End.
  case quit
  /// Let the tracer rest, or go on: ``LiveState/isPaused`` says which.
  case pause
  /// Refresh at the new ``LiveState/interval``.
  case changeInterval
  /// Say more about a row: ``LiveState/details``.
  case openDetails
  /// Draw everything anew.
  case redraw
}

/// A live view as a value: what is shown, how the user looks at it, and what each key makes of that.
package struct LiveState: Hashable, Sendable {
  /// The seconds between refreshes that can be chosen.
  package static let intervals: [Double] = [0.2, 0.5, 1, 2, 5, 10, 30, 60]

  /// More about one row.
  package struct Details: Hashable, Sendable {
    /// The table and the row it is about.
    package var table: Int
    package var id: String
    package var title: String
    package var lines: [String]
  }

  enum Mode: Hashable, Sendable {
    case table
    /// Typing a filter; the one before is kept for the escape key.
    case filter(before: String)
    case help
    case details
  }

  /// What there is to show.
  package private(set) var content: LiveContent
  /// True while the tracer rests.
  package private(set) var isPaused = false
  /// Seconds between refreshes.
  package private(set) var interval: Double
  /// Only rows that have this text in a cell are shown.
  package private(set) var filter = ""
  /// More about a row, while it is shown.
  package private(set) var details: Details?

  private(set) var mode = Mode.table
  private(set) var table = 0
  private(set) var views: [LiveTableView]
  /// The first line on the screen of help or details.
  private(set) var firstLine = 0
  private(set) var size: TerminalSize

  package init(content: LiveContent, interval: Double, size: TerminalSize) {
    self.content = content
    self.interval = interval
    self.size = size
    views = content.tables.map { _ in LiveTableView() }
  }

  // MARK: - What happens outside

  /// Shows new figures.
  package mutating func show(_ content: LiveContent) {
    self.content = content
    while views.count < content.tables.count { views.append(LiveTableView()) }
    table = min(table, content.tables.count - 1)
    settle()
  }

  /// Shows the lines that say more about a row; without any it is gone.
  package mutating func showDetails(title: String, lines: [String]) {
    guard details != nil else { return }
    details?.title = title
    details?.lines = lines
    settle()
  }

  /// The terminal has another size.
  package mutating func resize(_ size: TerminalSize) {
    self.size = size
    settle()
  }

  // MARK: - Keys

  /// What a key does.
  package mutating func press(_ key: TerminalKey) -> LiveAction {
    let action =
      switch mode {
      case .table: pressInTable(key)
      case .filter(let before): pressInFilter(key, before: before)
      case .help, .details: pressInText(key)
      }
    settle()
    return action
  }

  private mutating func pressInTable(_ key: TerminalKey) -> LiveAction {
    switch key {
    case .character("q"), .character("Q"): return .quit
    case .character("p"), .character(" "):
      isPaused.toggle()
      return .pause
    case .character("s"), .right: sort(by: 1)
    case .character("S"), .left: sort(by: -1)
    case .character("r"): views[table].isReversed.toggle()
    case .character("/"):
      mode = .filter(before: filter)
    case .character("?"), .character("h"):
      mode = .help
      firstLine = 0
    case .character("+"): return step(1)
    case .character("-"): return step(-1)
    case .tab: table = (table + 1) % content.tables.count
    case .escape: filter = ""
    case .enter: return open()
    case .control("l"): return .redraw
    default: if let distance = distance(key) { views[table].move(by: distance, in: rows) }
    }
    return .none
  }

  private mutating func pressInFilter(_ key: TerminalKey, before: String) -> LiveAction {
    switch key {
    case .enter: mode = .table
    case .escape:
      filter = before
      mode = .table
    case .backspace: if !filter.isEmpty { filter.removeLast() }
    case .control("u"): filter = ""
    case .control("l"): return .redraw
    // Longer than any row.
    case .character(let character): if filter.count < 200 { filter.append(character) }
    case .up, .down, .pageUp, .pageDown:
      if let distance = distance(key) { views[table].move(by: distance, in: rows) }
    default: break
    }
    return .none
  }

  private mutating func pressInText(_ key: TerminalKey) -> LiveAction {
    switch key {
    case .character("q"), .character("?"), .escape, .enter:
      mode = .table
      details = nil
    case .character("p"), .character(" "):
      isPaused.toggle()
      return .pause
    case .control("l"): return .redraw
    default:
      if let distance = distance(key) {
        let (sum, overflow) = firstLine.addingReportingOverflow(distance)
        firstLine = overflow ? (distance > 0 ? .max : 0) : max(0, sum)
      }
    }
    return .none
  }

  /// How far a key goes.
  private func distance(_ key: TerminalKey) -> Int? {
    let page = max(1, mode == .help || mode == .details ? textHeight - 1 : rowHeight - 1)
    switch key {
    case .down, .character("j"): return 1
    case .up, .character("k"): return -1
    case .pageDown, .control("f"): return page
    case .pageUp, .control("b"): return -page
    case .home, .character("g"): return -Int.max
    case .end, .character("G"): return Int.max
    default: return nil
    }
  }

  private mutating func sort(by step: Int) {
    let columns = content.tables[table].columns.count
    guard columns > 0 else { return }
    let now = views[table].sortColumn(of: content.tables[table])
    views[table].sortColumn = (now + step + columns) % columns
    views[table].isReversed = false
  }

  private mutating func step(_ direction: Int) -> LiveAction {
    // An interval that was given on the command line may lie between two of these.
    let next =
      direction > 0
      ? LiveState.intervals.first { $0 > interval } : LiveState.intervals.last { $0 < interval }
    guard let next else { return .none }
    interval = next
    return .changeInterval
  }

  private mutating func open() -> LiveAction {
    let rows = rows
    guard content.tables[table].hasDetails, let marked = views[table].marked(in: rows) else {
      return .none
    }
    mode = .details
    firstLine = 0
    details = Details(table: table, id: rows[marked].id, title: "", lines: [])
    return .openDetails
  }

  /// The rows of the table that is shown, in the order they are shown.
  var rows: [LiveRow] { views[table].rows(of: content.tables[table], filter: filter) }

  /// Keeps what is marked on the screen, and text from being scrolled away.
  private mutating func settle() {
    views[table].scroll(height: rowHeight, rows: rows)
    switch mode {
    case .help: firstLine = min(firstLine, max(0, LiveHelp.lines.count - textHeight))
    case .details: firstLine = min(firstLine, max(0, (details?.lines.count ?? 0) - textHeight))
    case .table, .filter: firstLine = 0
    }
  }
}
