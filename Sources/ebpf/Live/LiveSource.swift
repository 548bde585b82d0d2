import EBPF
import EBPFTracers
import TerminalView

/// What a live view asks about one kind of tracer.
///
/// A source remembers what it saw last, so that its figures are of the time since then.
protocol LiveSource: AnyObject {
  associatedtype Traced: Tracer

  /// The tables as they are before anything was seen.
  var tables: [LiveTable] { get }
  /// Looks at the tracer once and fills the tables.
  ///
  /// - Parameter seconds: how long was recorded since the last look, pauses left out; above 0.
  func refresh(_ tracer: Traced, seconds: Double) throws(EBPFError)
  /// What to say about everything: parts of the second line.
  var status: [String] { get }
  /// More about a row of a table; without lines there is no such row any more.
  func details(table: Int, row: String) -> LiveDetails
}

/// More about one row.
struct LiveDetails {
  var title: String
  var lines: [String]

  /// Lines under a title; each text may have several.
  init(_ title: String, _ lines: [String] = []) {
    self.title = title
    self.lines = lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false) }
      .map(String.init)
  }

  /// The row has not been seen lately.
  static let gone = LiveDetails("nothing is known of this row any more")

  /// The lines of a table, indented.
  mutating func add(_ heading: String, _ table: TextTable) {
    guard table.count > 0 else { return }
    lines += ["", heading] + table.lines(indent: "  ")
  }
}

/// Figures of a live view.
enum LiveFigures {
  /// `1,234`, `0.5`: so many a second.
  static func rate(_ count: UInt64, _ seconds: Double) -> (text: String, value: Double) {
    let rate = Double(count) / seconds
    if count == 0 { return ("", 0) }
    if rate < 10 { return (Figures.fixed(rate, decimals: 1), rate) }
    return (Figures.count(UInt64(rate < 1e18 ? rate.rounded() : 1e18)), rate)
  }

  /// A cell of so many a second; empty for none.
  static func rate(
    _ count: UInt64, _ seconds: Double, _ style: TerminalStyle = []
  ) -> LiveCell {
    let rate: (text: String, value: Double) = rate(count, seconds)
    return .figure(rate.text, rate.value, style)
  }

  /// A cell of so many bytes a second; empty for none.
  static func byteRate(_ bytes: UInt64, _ seconds: Double) -> LiveCell {
    let rate = Double(bytes) / seconds
    let text = bytes == 0 ? "" : Figures.bytes(UInt64(min(rate, 1e18).rounded()))
    return .figure(text, rate)
  }

  /// A cell of bytes with their sign; empty for none.
  static func signedBytes(_ bytes: Int64) -> LiveCell {
    let text = bytes == 0 ? "" : (bytes < 0 ? "-" : "+") + Figures.bytes(bytes.magnitude)
    return .figure(text, Double(bytes), bytes > 0 ? .yellow : [])
  }

  /// A cell of a count; empty for none.
  static func count(_ value: UInt64, _ style: TerminalStyle = []) -> LiveCell {
    .figure(value == 0 ? "" : Figures.count(value), Double(value), style)
  }

  /// A cell of a duration; `-` when there is none.
  static func time(_ nanoseconds: UInt64?) -> LiveCell {
    .figure(nanoseconds.map(Figures.nanoseconds) ?? "-", nanoseconds.map(Double.init) ?? -1)
  }

  /// A cell of a share of one, in percent; empty for none.
  static func share(_ part: Double, of whole: Double) -> LiveCell {
    guard whole > 0, part > 0 else { return .figure("", 0) }
    return .figure(Figures.fixed(part / whole * 100, decimals: 1) + " %", part / whole)
  }

  /// `0:07`, `1:02:03`.
  static func clock(_ seconds: Double) -> String {
    let all = Int(min(max(seconds, 0), 1e9))
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let rest = two(all % 60)
    return all < 3600
      ? "\(all / 60):\(rest)" : "\(all / 3600):\(two(all / 60 % 60)):\(rest)"
  }
}
