internal import Symbolization

/// What walking by unwind tables and following frame pointers found on the same samples.
public struct UnwindComparison: Sendable, Hashable {
  /// The samples taken in one file's code.
  public struct Binary: Sendable, Hashable {
    /// The file, or a name in brackets.
    public let path: String
    /// Samples whose innermost function is in it.
    public internal(set) var samples: UInt64 = 0
    /// Both found the same frames.
    public internal(set) var equal: UInt64 = 0
    /// Frame pointers found some of the table's frames, in their order, and no others.
    public internal(set) var partial: UInt64 = 0
    /// The walk by table came to the outermost frame.
    public internal(set) var wholeByTable: UInt64 = 0
    /// Frame pointers led to the outermost frame, or to a function that a thread begins with.
    public internal(set) var wholeByFramePointers: UInt64 = 0
  }

  private var all: [String: Binary] = [:]

  /// Of no samples.
  public init() {}

  /// One for each file, the one with most samples first.
  public var binaries: [Binary] {
    all.values.sorted { ($1.samples, $0.path) < ($0.samples, $1.path) }
  }

  /// All files together.
  public var total: Binary {
    all.values.reduce(into: Binary(path: "")) { total, binary in
      total.samples += binary.samples
      total.equal += binary.equal
      total.partial += binary.partial
      total.wholeByTable += binary.wholeByTable
      total.wholeByFramePointers += binary.wholeByFramePointers
    }
  }

  /// What nothing of a program calls.
  private static let roots: Set<String> = [
    "main", "_start", "_start_c", "start_thread", "clone", "__clone", "clone3", "__clone3",
  ]

  /// Adds the two stacks of equal samples, leaf first.
  mutating func add(
    walked: [SymbolizedFrame], isWhole: Bool, followed: [SymbolizedFrame], samples: UInt64
  ) {
    let path = walked.first?.module?.path ?? "[unknown]"
    var binary = all[path] ?? Binary(path: path)
    binary.samples += samples
    let (table, pointers) = (walked.map(\.address), followed.map(\.address))
    if table == pointers {
      binary.equal += samples
    } else if Self.isPart(pointers, of: table) {
      binary.partial += samples
    }
    if isWhole { binary.wholeByTable += samples }
    let reachesRoot = followed.contains { $0.function.map(Self.roots.contains) ?? false }
    if isWhole && !table.isEmpty && table.last == pointers.last || reachesRoot {
      binary.wholeByFramePointers += samples
    }
    all[path] = binary
  }

  /// True when the addresses are all in the other stack, in the same order.
  private static func isPart(_ part: [UInt64], of whole: [UInt64]) -> Bool {
    var next = part.startIndex
    for address in whole where next < part.endIndex && part[next] == address { next += 1 }
    return next == part.endIndex && !part.isEmpty
  }
}
