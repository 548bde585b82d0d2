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
    // https://no-color.org: present and not empty.
    Style(isOn: stream.columns != nil && (ProcessEnvironment["NO_COLOR"] ?? "").isEmpty)
  }

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
  private var rows: [[String]] = []
  private let rightAligned: Set<Int>

  /// Columns are aligned to the left except those named.
  init(rightAligned: Set<Int> = []) { self.rightAligned = rightAligned }

  mutating func add(_ cells: String...) { add(cells) }
  mutating func add(_ cells: [String]) { rows.append(cells.map { PlainText.line($0) }) }

  /// The table as text, columns two blanks apart.
  func text(indent: String = "") -> String {
    lines(indent: indent).map { $0 + "\n" }.joined()
  }

  /// The table's lines, in order of its rows.
  func lines(indent: String = "") -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = indent
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        let isLast = column == row.count - 1
        line += rightAligned.contains(column) ? padding + cell : cell + (isLast ? "" : padding)
        if !isLast { line += "  " }
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
