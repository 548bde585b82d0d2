public import Profiles

/// The functions where most was measured, as rows for a terminal.
public struct HottestFunctions: Sendable, Hashable {
  /// One function.
  public struct Row: Sendable, Hashable {
    /// The function's name.
    public let function: String
    /// The last part of the path of the file it is in; empty when unknown.
    public let module: String
    /// What it is; for colours.
    public let kind: CallTree.Kind
    /// The share of the whole measured in it, 0 ... 1.
    public let ownShare: Double
    /// The share of the whole measured in it and what it called, 0 ... 1.
    public let totalShare: Double
    /// Its own value.
    public let own: Int64
    /// The value of it and what it called.
    public let total: Int64
  }

  /// The rows, the hottest first.
  public let rows: [Row]
  /// How many functions had a value but no place in `rows`.
  public let omitted: Int
  /// The value of the whole profile.
  public let whole: Int64
  /// What the values count.
  public let valueType: Profile.ValueType

  /// Picks the `limit` functions with the largest own value; functions without one are left out.
  public init(
    _ profile: Profile, valueType: Int = 0, limit: Int = 20
  ) throws(ProfileFormatError) {
    let tree = try CallTree(profile, orderedBy: valueType)
    let table = SelfTime(tree, valueType: valueType)
    let hot = table.rows.filter { $0.own > 0 }
    let divisor = Double(max(1, table.whole))
    rows = hot.prefix(max(0, limit)).map { row in
      let function = tree.functions[row.function]
      return Row(
        function: function.name.withoutControls, module: function.module.lastPathComponent,
        kind: function.kind, ownShare: Double(row.own) / divisor,
        totalShare: Double(row.total) / divisor, own: row.own, total: row.total)
    }
    omitted = hot.count - rows.count
    whole = table.whole
    self.valueType = profile.valueTypes[valueType]
  }

  /// The table as plain text with aligned columns; long names are cut to fit `width` columns.
  public func text(width: Int = 100) -> String {
    let numbers = rows.map { [percent($0.ownShare), percent($0.totalShare), "\($0.own)"] }
    let header = ["SELF", "TOTAL", valueType.unit == "count" ? "SAMPLES" : "VALUE"]
    let widths = header.indices.map { column in
      ([header] + numbers).map { $0[column].count }.max() ?? 0
    }
    let moduleWidth = min(24, max(6, rows.map(\.module.count).max() ?? 0))
    let used = widths.reduce(0) { $0 + $1 + 2 } + moduleWidth + 2
    let nameWidth = max(12, width - used)
    func line(_ cells: [String], _ module: String, _ name: String) -> String {
      let figures = zip(cells, widths).map { $0.leftPadded(to: $1) }.joined(separator: "  ")
      let cut = module.cut(to: moduleWidth).padded(to: moduleWidth)
      return "\(figures)  \(cut)  \(name.cut(to: nameWidth))\n"
    }
    var text = line(header, "MODULE", "FUNCTION")
    for (row, cells) in zip(rows, numbers) { text += line(cells, row.module, row.function) }
    if omitted > 0 { text += "… and \(omitted) more functions\n" }
    return text
  }
}

/// `share` of one as a percentage with one decimal.
func percent(_ share: Double) -> String {
  let tenths = Int((min(max(share, 0), 1e6) * 1000).rounded())
  return "\(tenths / 10).\(tenths % 10) %"
}

extension String {
  /// Control characters, which would confuse a terminal, become spaces.
  var withoutControls: String {
    guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      return self
    }
    var result = ""
    for scalar in unicodeScalars {
      result.unicodeScalars.append(
        scalar.properties.generalCategory == .control ? " " : scalar)
    }
    return result
  }

  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }

  func cut(to width: Int) -> String {
    count <= width ? self : prefix(max(0, width - 1)) + "…"
  }
}
