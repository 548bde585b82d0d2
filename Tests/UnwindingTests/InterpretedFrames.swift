import TestSupport

/// What `readelf --debug-dump=frames-interp` says of a file: the oracle of unwind rows.
struct InterpretedFrames {
  /// The rules from one address on.
  struct Row {
    var address: UInt64
    /// `rsp+16`, `rbp+16`, `exp`.
    var frame: String
    /// `c-16`, `u`, `exp`; nil where the table has no such column.
    var framePointer: String?
    var returnAddress: String?
  }

  /// One function: its addresses and its rows.
  struct Function {
    var start: UInt64
    var end: UInt64
    var isSignal: Bool
    var rows: [Row] = []
  }

  private(set) var functions: [Function] = []

  init(_ path: String) throws {
    // Its status is 1 where it warns about another section.
    let text = try Command.run(["readelf", "--debug-dump=frames-interp", "-W", path]).output
    var columns: [Substring] = []
    var signals: Set<Substring> = []
    var function: Function?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      // A register kept in another is `r10 (r10)`.
      let words = line.split(separator: " ").filter { $0.first != "(" }
      if line.isEmpty {
        if let function { functions.append(function) }
        function = nil
      } else if words.count > 4, words[3] == "CIE" {
        if words[4].contains("S") { signals.insert(words[0]) }
      } else if let range = words.first(where: { $0.hasPrefix("pc=") }) {
        let ends = range.dropFirst(3).split(separator: ".", omittingEmptySubsequences: true)
        let common = words.first { $0.hasPrefix("cie=") }?.dropFirst(4) ?? ""
        function = Function(
          start: UInt64(ends[0], radix: 16) ?? 0, end: UInt64(ends[1], radix: 16) ?? 0,
          isSignal: signals.contains(common))
      } else if words.first == "LOC" {
        columns = words
      } else if function != nil, let address = words.first.flatMap({ UInt64($0, radix: 16) }) {
        func cell(_ name: Substring) -> String? {
          columns.firstIndex(of: name).flatMap { $0 < words.count ? String(words[$0]) : nil }
        }
        function?.rows.append(
          Row(
            address: address, frame: cell("CFA") ?? "", framePointer: cell("rbp"),
            returnAddress: cell("ra")))
      }
    }
    if let function { functions.append(function) }
  }
}
