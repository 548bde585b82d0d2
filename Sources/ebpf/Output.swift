import ArgumentParser
import EBPF
import EBPFSystem

/// The one place that prints.
enum Output {
  /// Prints a result. When nobody reads it any more the command ends, as `head` expects.
  static func result(_ text: String) throws {
    do throws(Errno) { try StandardStream.output.write(text) } catch {
      if error.name == "EPIPE" { throw ExitCode.success }
      throw failure(
        EBPFError(.system, "cannot write to standard output: \(error.text)"), json: false)
    }
  }

  /// Writes a result. When nobody reads it any more that is no error: the caller goes on to its end.
  static func write(_ text: String) throws(EBPFError) { try write(Array(text.utf8)) }

  /// Writes a result that is not text.
  static func write(_ bytes: [UInt8]) throws(EBPFError) {
    do throws(Errno) { try StandardStream.output.write(bytes) } catch {
      if error.name == "EPIPE" { return }
      throw EBPFError(.system, "cannot write to standard output: \(error.text)")
    }
  }

  /// Prints something that is not a result. There is nobody to tell when this fails.
  static func note(_ text: String) {
    do throws(Errno) { try StandardStream.error.write(text + "\n") } catch { return }
  }

  /// Writes control sequences and text to the terminal behind standard error, as they are.
  static func terminal(_ text: String) {
    do throws(Errno) { try StandardStream.error.write(text) } catch { return }
  }

  /// Prints an error in the form asked for, and gives the exit status to throw.
  static func failure(_ error: EBPFError, json: Bool) -> ExitCode {
    if json {
      // When standard output is gone as well there is nobody left to tell.
      do { try result(JSONDocument.text(ErrorDocument(error))) } catch { return .failed }
    } else {
      note(Style.forStream(.error).red("error: ") + PlainText.lines(error.description))
    }
    return .failed
  }
}

/// Colours, when a person is looking.
struct Style {
  private let isOn: Bool

  /// Colours on a terminal, none elsewhere and none under `NO_COLOR`.
  static func forStream(_ stream: StandardStream) -> Style {
    Style(isOn: stream.columns != nil && usesColours)
  }

  /// False under `NO_COLOR`: present and not empty (https://no-color.org).
  static var usesColours: Bool { (ProcessEnvironment["NO_COLOR"] ?? "").isEmpty }

  func red(_ text: String) -> String { wrap(text, "31") }
  func green(_ text: String) -> String { wrap(text, "32") }
  func yellow(_ text: String) -> String { wrap(text, "33") }
  func bold(_ text: String) -> String { wrap(text, "1") }
  func dim(_ text: String) -> String { wrap(text, "2") }

  private func wrap(_ text: String, _ code: String) -> String {
    isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}

/// A table with aligned columns.
struct TextTable {
  private struct Cell {
    let text: String
    let width: Int
  }

  /// The cells, row after row.
  private var cells: [Cell] = []
  /// Where in ``cells`` each row ends.
  private var ends: [Int] = []
  /// The widest cell of each column.
  private var widths: [Int] = []
  private let rightAligned: Set<Int>

  /// Columns are aligned to the left except those named.
  init(rightAligned: Set<Int> = []) { self.rightAligned = rightAligned }

  /// How many rows there are.
  var count: Int { ends.count }

  mutating func add(_ cells: String...) { add(cells) }
  mutating func add(_ cells: [String]) {
    for (column, cell) in cells.enumerated() {
      let text = PlainText.line(cell)
      let width = PlainText.columns(text)
      self.cells.append(Cell(text: text, width: width))
      if column == widths.count { widths.append(width) }
      widths[column] = max(widths[column], width)
    }
    ends.append(self.cells.count)
  }

  /// The table as text, columns two blanks apart.
  func text(indent: String = "") -> String {
    var text = ""
    for row in 0..<count {
      append(row, to: &text, indent: indent)
      text += "\n"
    }
    return text
  }

  /// The table's lines, in order of its rows.
  func lines(indent: String = "") -> [String] {
    (0..<count).map { row in
      var line = ""
      append(row, to: &line, indent: indent)
      return line
    }
  }

  /// Writes a row, without blanks at its end.
  func append(_ row: Int, to text: inout String, indent: String = "") {
    let start = row == 0 ? 0 : ends[row - 1]
    var blanks = 0
    func write(_ word: String, _ text: inout String) {
      guard !word.isEmpty else { return }
      ColumnLine.append(blanks: blanks, to: &text)
      text += word
      blanks = 0
    }
    write(indent, &text)
    for index in start..<ends[row] {
      let cell = cells[index]
      let padding = widths[index - start] - cell.width
      if rightAligned.contains(index - start) {
        blanks += padding
        write(cell.text, &text)
      } else {
        write(cell.text, &text)
        blanks += padding
      }
      blanks += 2
    }
    while text.utf8.last == UInt8(ascii: " ") { text.removeLast() }
  }
}
