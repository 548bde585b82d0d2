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

  /// What another tool's walks of the same process have in common with those by table.
  public struct Peer: Sendable, Hashable {
    /// Its stacks.
    public internal(set) var samples: UInt64 = 0
    /// Those whose callers were found by table, all and no others.
    public internal(set) var equal: UInt64 = 0
    /// Those that end earlier than one that was found by table, and are the same until there.
    public internal(set) var shorter: UInt64 = 0
  }

  private var all: [String: Binary] = [:]
  /// The callers of each stack by table: where in their files they go on, innermost first.
  private var callers: Set<[UInt64]> = []

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
    callers.insert(Array(walked.lazy.filter { !$0.isInlined }.map(Self.offset).dropFirst()))
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

  /// Compares with stacks that another tool took of the same process at other moments: the offsets in
  /// their files at which each one's callers go on, innermost first. Where a leaf was is left out: it is
  /// never the same twice.
  public func peer(_ stacks: [[UInt64]]) -> Peer {
    var peer = Peer()
    let counts = stacks.reduce(into: [[UInt64]: UInt64]()) { $0[$1, default: 0] += 1 }
    for (stack, count) in counts {
      peer.samples += count
      if callers.contains(stack) {
        peer.equal += count
      } else if callers.contains(where: { $0.starts(with: stack) }) {
        peer.shorter += count
      }
    }
    return peer
  }

  /// The offset in the file; of code without one its address.
  private static func offset(_ frame: SymbolizedFrame) -> UInt64 {
    frame.module.map { frame.address &- $0.start &+ $0.fileOffset } ?? frame.address
  }

  /// True when the addresses are all in the other stack, in the same order.
  private static func isPart(_ part: [UInt64], of whole: [UInt64]) -> Bool {
    var next = part.startIndex
    for address in whole where next < part.endIndex && part[next] == address { next += 1 }
    return next == part.endIndex && !part.isEmpty
  }
}
