/// Finds the functions of one table: by going through it while few addresses are asked for, else by an
/// index.
struct FunctionSearch: Sendable {
  private let table: FunctionTable
  private(set) var index: FunctionIndex?
  private var scans = 0

  /// A batch no larger than this is scanned for while there is no index…
  static let scanLimit = 64
  /// …this many times.
  static let scansBeforeIndex = 4

  init(_ table: FunctionTable) { self.table = table }

  /// The functions at many addresses, in the order given.
  mutating func entries(at addresses: [UInt64]) -> [FunctionTable.Entry?] {
    if index == nil, addresses.count <= Self.scanLimit, scans < Self.scansBeforeIndex {
      scans += 1
      return table.scan(for: addresses)
    }
    let index = builtIndex()
    return addresses.map { index.entry(at: $0) }
  }

  /// The index, made now if there is none.
  mutating func builtIndex() -> FunctionIndex {
    let built = index ?? FunctionIndex(table)
    index = built
    return built
  }
}
