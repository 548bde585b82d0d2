import Testing

@testable import TerminalView

@Suite struct LiveStateTests {
  private static let columns: [LiveColumn] = [
    .figure("RATE"), .figure("ERRORS", rank: 2), .text("PROCESS", rank: 1), .text("CALL"),
  ]

  private static func row(_ index: Int, rate: Double) -> LiveRow {
    LiveRow(
      id: "row \(index)",
      cells: [
        .figure("\(Int(rate))/s", rate), .figure("\(index % 3)", Double(index % 3), .red),
        .text("process\(index % 7)"), .text("call_\(index) 日本語"),
      ])
  }

  private func content(rows: Int, tables: Int = 1, warning: String = "") -> LiveContent {
    LiveContent(
      title: ["ebpf test", "all processes", "0:12"], status: ["1 recorded", "0 dropped"],
      warning: warning,
      tables: (0..<tables).map { table in
        LiveTable(
          name: "table\(table)", columns: LiveStateTests.columns, sortColumn: 0,
          rows: (0..<rows).map { LiveStateTests.row($0, rate: Double($0 * 10)) },
          empty: "nothing happens", hasDetails: table == 0)
      })
  }

  private func state(
    rows: Int = 100, tables: Int = 1, columns: Int = 80, lines: Int = 24, warning: String = ""
  ) -> LiveState {
    LiveState(
      content: content(rows: rows, tables: tables, warning: warning), interval: 1,
      size: TerminalSize(columns: columns, rows: lines))
  }

  private func texts(_ state: LiveState) -> [String] { state.lines.map(\.text) }
  private func first(_ state: LiveState) -> String? { state.rows.first?.id }

  private func press(_ state: inout LiveState, _ text: String) {
    for character in text { _ = state.press(.character(character)) }
  }

  // MARK: - Sizes

  private static let widths = [1, 2, 3, 5, 8, 13, 20, 39, 40, 41, 79, 80, 81, 120, 200]
  private static let heights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 24, 25, 60]

  @Test func `every size has exactly its lines, and none is wider`() {
    let keys: [TerminalKey] = [
      .end, .character("?"), .end, .escape, .enter, .pageDown, .escape, .character("/"),
      .character("日"), .enter, .escape, .tab, .character("s"), .character("p"),
    ]
    for width in LiveStateTests.widths {
      for height in LiveStateTests.heights {
        for (rows, warning) in [(0, ""), (1, "lost"), (30, "lost")] {
          var state = state(
            rows: rows, tables: 2, columns: width, lines: height, warning: warning)
          for key in [TerminalKey.up] + keys {
            _ = state.press(key)
            if state.details != nil {
              state.showDetails(title: "row", lines: (0..<50).map { "line \($0) 日本語" })
            }
            let lines = state.lines
            #expect(lines.count == height, "\(width)×\(height) after \(key)")
            #expect(
              lines.allSatisfy {
                $0.columns <= width && DisplayWidth.columns($0.text) == $0.columns
              },
              "\(width)×\(height) after \(key)")
          }
        }
      }
    }
  }

  @Test func `the marked row is on the screen at every size`() {
    for height in 1...40 {
      var state = state(lines: height)
      for key in [TerminalKey.end, .up, .pageUp, .home, .down, .pageDown, .pageDown] {
        _ = state.press(key)
        let rows = state.rows
        guard let marked = state.views[0].marked(in: rows), state.rowHeight > 0 else { continue }
        let label = rows[marked].cells[3].text
        #expect(texts(state).contains { $0.contains(label) }, "height \(height), \(key)")
      }
    }
  }

  @Test func `growing and shrinking keeps what is marked`() {
    var state = state()
    for _ in 0..<30 { _ = state.press(.down) }
    let marked = state.rows[30].id
    for (width, height) in [(10, 3), (200, 60), (80, 24), (1, 1), (80, 24)] {
      state.resize(TerminalSize(columns: width, rows: height))
      #expect(state.rows[state.views[0].marked(in: state.rows) ?? -1].id == marked)
      #expect(state.lines.count == height)
    }
  }

  @Test func `few lines keep the rows, many show everything`() {
    #expect(texts(state(lines: 1))[0].contains("call_99"))
    #expect(texts(state(lines: 2))[0].contains("ebpf test"))
    #expect(texts(state(lines: 3))[1].contains("RATE▾"))
    let all = texts(state(lines: 24, warning: "5 lost"))
    #expect(all[0].hasPrefix("ebpf test  all processes  0:12"))
    #expect(all[1] == "1 recorded, 0 dropped")
    #expect(all[2] == "5 lost")
    #expect(all[3].contains("RATE▾"))
    #expect(all[4].contains("call_99"))
    #expect(all[23].hasPrefix("q quit  p pause  s sort  / filter  Enter details"))
  }

  @Test func `narrow screens lose the least important columns first`() {
    func head(_ width: Int) -> String { texts(state(columns: width))[2] }
    #expect(head(80).contains("ERRORS") && head(80).contains("PROCESS"))
    let narrower = head(36)
    #expect(!narrower.contains("ERRORS") && narrower.contains("PROCESS"))
    let narrow = head(28)
    #expect(!narrow.contains("PROCESS") && narrow.contains("RATE") && narrow.contains("CALL"))
  }

  // MARK: - Order

  @Test func `figures come largest first, text as in a dictionary, and r turns them round`() {
    var state = state()
    #expect(first(state) == "row 99")
    press(&state, "r")
    #expect(first(state) == "row 0")
    press(&state, "s")
    #expect(state.views[0].sortColumn == 1 && !state.views[0].isReversed)
    #expect(first(state) == "row 11")  // 2 errors; of those the first id
    press(&state, "s")
    #expect(state.rows.first?.cells[2].text == "process0")
    press(&state, "r")
    #expect(state.rows.first?.cells[2].text == "process6")
    press(&state, "ss")
    #expect(state.views[0].sortColumn == 0)
    _ = state.press(.left)
    #expect(state.views[0].sortColumn == 3)
    _ = state.press(.right)
    #expect(state.views[0].sortColumn == 0)
  }

  @Test func `rows with equal figures keep one order`() {
    var state = state(rows: 0)
    var content = content(rows: 0)
    content.tables[0].rows = (0..<50).shuffled().map { LiveStateTests.row($0, rate: 7) }
    state.show(content)
    let ids = state.rows.map(\.id)
    content.tables[0].rows.shuffle()
    state.show(content)
    #expect(state.rows.map(\.id) == ids)
    #expect(ids == ids.sorted())
  }

  @Test func `a figure that is no number does not disturb the order`() {
    var content = content(rows: 5)
    content.tables[0].rows[2].cells[0] = .figure("-", .nan)
    let state = LiveState(
      content: content, interval: 1, size: TerminalSize(columns: 80, rows: 24))
    #expect(state.rows.map(\.id) == ["row 4", "row 3", "row 1", "row 0", "row 2"])
  }

  // MARK: - Filter

  @Test func `a filter acts while it is typed, on every cell, in any case`() {
    var state = state()
    press(&state, "/PROCESS3")
    #expect(state.rows.count == 14)
    #expect(texts(state).last == "filter: PROCESS3 ")
    _ = state.press(.backspace)
    press(&state, "4")
    #expect(state.rows.allSatisfy { $0.cells[2].text == "process4" })
    _ = state.press(.enter)
    #expect(texts(state).last?.contains("filter: PROCESS4") == true)
    press(&state, "q")  // quits, and is not typed
    _ = state.press(.escape)
    #expect(state.rows.count == 100)
  }

  @Test func `escape while typing brings the old filter back`() {
    var state = state()
    press(&state, "/call_1")
    _ = state.press(.enter)
    #expect(state.rows.count == 11)
    press(&state, "/xyz")
    #expect(state.rows.isEmpty)
    #expect(texts(state).contains { $0.contains("no row has \"call_1xyz\"") })
    _ = state.press(.escape)
    #expect(state.filter == "call_1" && state.rows.count == 11)
    press(&state, "/")
    _ = state.press(.control("u"))
    #expect(state.filter.isEmpty)
  }

  @Test func `keys that act elsewhere are text while typing`() {
    var state = state()
    press(&state, "/")
    for character in "qps?+-r " {
      #expect(state.press(.character(character)) == .none)
    }
    #expect(state.filter == "qps?+-r ")
    #expect(!state.isPaused && state.interval == 1)
    for _ in 0..<1000 { _ = state.press(.character("x")) }
    #expect(state.filter.count == 200)
    for _ in 0..<300 { _ = state.press(.backspace) }
    #expect(state.filter.isEmpty)
  }

  // MARK: - Place

  @Test func `the mark stays with its row when rows change places`() {
    var state = state()
    for _ in 0..<5 { _ = state.press(.character("j")) }
    let id = state.rows[5].id
    #expect(id == "row 94")
    var content = content(rows: 100)
    content.tables[0].rows[94].cells[0] = .figure("5000/s", 5000)
    state.show(content)
    #expect(state.views[0].marked(in: state.rows) == 0)
    content.tables[0].rows.remove(at: 94)
    state.show(content)
    #expect(state.views[0].marked(in: state.rows) == 0)
  }

  @Test func `without having been moved the mark is on the first row, whichever that is`() {
    var state = state()
    var content = content(rows: 100)
    content.tables[0].rows[3].cells[0] = .figure("9999/s", 9999)
    state.show(content)
    #expect(state.rows[0].id == "row 3")
    #expect(state.views[0].marked(in: state.rows) == 0)
  }

  @Test func `keys go down, up, by pages and to the ends, and no further`() {
    var state = state()
    func marked() -> Int? { state.views[0].marked(in: state.rows) }
    let page = state.rowHeight - 1
    #expect(state.rowHeight == 20)
    for (key, place) in [
      (TerminalKey.up, 0), (.down, 1), (.character("j"), 2), (.character("k"), 1),
      (.pageDown, 1 + page), (.control("f"), 1 + 2 * page), (.pageUp, 1 + page),
      (.control("b"), 1), (.end, 99), (.down, 99), (.home, 0), (.character("G"), 99),
      (.pageDown, 99), (.character("g"), 0), (.pageUp, 0),
    ] {
      _ = state.press(key)
      #expect(marked() == place, "\(key)")
    }
    var empty = LiveState(
      content: content(rows: 0), interval: 1, size: TerminalSize(columns: 80, rows: 24))
    for key in [TerminalKey.down, .end, .pageUp, .enter] { #expect(empty.press(key) == .none) }
    #expect(empty.lines.map(\.text).contains("nothing happens"))
  }

  // MARK: - Requests

  @Test func `q ends, p pauses and resumes, + and - change the interval`() {
    var state = state()
    #expect(state.press(.character("q")) == .quit)
    #expect(state.press(.character("p")) == .pause && state.isPaused)
    #expect(texts(state)[0].hasPrefix("PAUSED"))
    #expect(texts(state).last?.contains("p resume") == true)
    #expect(state.press(.character(" ")) == .pause && !state.isPaused)
    #expect(state.press(.character("+")) == .changeInterval && state.interval == 2)
    for _ in 0..<20 { _ = state.press(.character("+")) }
    #expect(state.interval == 60)
    #expect(state.press(.character("+")) == .none)
    for _ in 0..<20 { _ = state.press(.character("-")) }
    #expect(state.interval == 0.2)
    #expect(state.press(.character("-")) == .none)
    #expect(state.press(.control("l")) == .redraw)
  }

  @Test func `an interval between two steps goes to its neighbours`() {
    var state = LiveState(
      content: content(rows: 1), interval: 3, size: TerminalSize(columns: 80, rows: 24))
    _ = state.press(.character("+"))
    #expect(state.interval == 5)
    state = LiveState(
      content: content(rows: 1), interval: 3, size: TerminalSize(columns: 80, rows: 24))
    _ = state.press(.character("-"))
    #expect(state.interval == 2)
  }

  @Test func `help and details are read, scrolled and left again`() {
    var state = state(lines: 6)
    _ = state.press(.character("?"))
    #expect(texts(state)[0] == "Keys")
    #expect(texts(state)[1].hasPrefix("q "))
    _ = state.press(.end)
    #expect(texts(state)[4].hasPrefix("? h"))
    #expect(state.press(.character("q")) == .none)
    #expect(texts(state)[0].hasPrefix("ebpf test"))

    _ = state.press(.down)
    #expect(state.press(.enter) == .openDetails)
    #expect(state.details?.id == "row 98")
    state.showDetails(title: "row 98", lines: (1...30).map { "line \($0)" })
    #expect(texts(state)[0] == "row 98")
    _ = state.press(.end)
    #expect(texts(state)[4] == "line 30")
    // Fewer lines at the next refresh do not leave an empty screen.
    state.showDetails(title: "row 98", lines: ["only one"])
    #expect(texts(state)[1] == "only one")
    #expect(state.press(.character("p")) == .pause)
    _ = state.press(.escape)
    #expect(state.details == nil)
    state.showDetails(title: "late", lines: ["late"])
    #expect(texts(state)[0].contains("ebpf test"))
  }

  @Test func `each table has its own order and place, and only some have details`() {
    var state = state(tables: 2)
    press(&state, "sj")
    _ = state.press(.tab)
    #expect(state.table == 1)
    #expect(state.views[1].sortColumn == nil && state.views[1].markedID == nil)
    #expect(state.press(.enter) == .none)
    #expect(texts(state).last?.contains("Enter") == false)
    _ = state.press(.tab)
    #expect(state.views[0].sortColumn == 1)
    #expect(texts(state)[0].contains(" table0   table1 "))
  }

  @Test func `any keys at any size leave a whole picture`() {
    let keys: [TerminalKey] =
      [
        .up, .down, .left, .right, .pageUp, .pageDown, .home, .end, .enter, .escape, .tab,
        .backspace, .delete, .control("l"), .control("u"), .control("f"),
      ] + "qpsSrh?/+-jkgG日x ".map { .character($0) }
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<60 {
      var state = state(rows: Int.random(in: 0...40), tables: Int.random(in: 1...3))
      for _ in 0..<60 {
        if Int.random(in: 0..<6) == 0 {
          state.resize(
            TerminalSize(columns: Int.random(in: 1...200), rows: Int.random(in: 1...60)))
        }
        if Int.random(in: 0..<6) == 0 { state.show(content(rows: Int.random(in: 0...40))) }
        guard let key = keys.randomElement(using: &generator) else { continue }
        if state.press(key) == .openDetails {
          state.showDetails(
            title: "t", lines: (0..<Int.random(in: 0...80)).map { "line \($0)" })
        }
        #expect(state.lines.count == state.size.rows)
        #expect(state.lines.allSatisfy { $0.columns <= state.size.columns })
      }
    }
  }

  @Test func `a name that is an escape sequence never reaches the terminal`() {
    var content = content(rows: 1)
    content.title = ["\u{1b}]0;title\u{7}"]
    content.status = ["\u{9b}2J"]
    content.tables[0].rows[0].cells[3] = .text("evil\u{1b}[2J\r\n\u{202e}")
    var state = LiveState(
      content: content, interval: 1, size: TerminalSize(columns: 80, rows: 24))
    _ = state.press(.enter)
    for lines in [
      state.lines,
      {
        state.showDetails(title: "\u{1b}c", lines: ["\u{1b}[31m"]); return state.lines
      }(),
    ] {
      for line in lines {
        #expect(
          line.text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
      }
    }
  }
}
