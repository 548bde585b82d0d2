import EBPFTracers

/// A histogram as bcc prints it: a row for each power of two.
enum HistogramText {
  private static let width: UInt64 = 40

  /// The rows of a histogram under a headline.
  static func text(_ title: String, _ histogram: SyscallHistogram) -> String {
    let rows = histogram.powers
    let most = rows.map(\.count).max() ?? 0
    guard most > 0 else { return "" }
    var table = TextTable(rightAligned: [0, 2, 4])
    table.add("from", "", "to", "", "count", "")
    for row in rows {
      let length = Int(row.count * width / most)
      let bar =
        String(repeating: "*", count: length) + String(repeating: " ", count: Int(width) - length)
      table.add(
        Figures.nanoseconds(row.lower), "->",
        row.upper == .max ? "" : Figures.nanoseconds(row.upper + 1), ":", Figures.count(row.count),
        "|\(bar)|")
    }
    return title + "\n" + table.text(indent: "  ") + "\n"
  }
}
