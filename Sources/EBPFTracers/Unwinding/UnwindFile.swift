internal import EBPF
internal import Symbolization
internal import Unwinding

/// One file's unwind rows, part by part, and who uses them.
struct UnwindFile: Sendable {
  /// What became of one part.
  enum Part: Sendable, Hashable {
    /// Nobody has asked yet.
    case unasked
    /// Its rows are there.
    case placed(Range<UInt32>, lastUse: UInt64)
    /// There was no room; asked for again once something was given back.
    case crowdedOut
    /// There are no rows, or none that make sense.
    case without
  }

  private let mapping: CodeMapping
  private let source: UnwindSource
  /// As many as ``UnwindSource/parts``.
  var parts: [Part]
  /// The processes that have the file mapped.
  var users: Set<UInt32> = []
  var lastUse: UInt64 = 0

  /// The file of a mapping; throws when it has no usable table.
  init(_ mapping: CodeMapping) throws(EBPFError) {
    self.mapping = mapping
    source = try UnwindSource(try mapping.file())
    parts = Array(repeating: .unasked, count: source.parts.count)
  }

  /// A file that is read as a whole when it is first seen.
  var isWhole: Bool { parts.count == 1 }

  /// The rows of one part, which is counted from 0.
  func rows(ofPart part: Int, limit: Int) throws(EBPFError) -> [UnwindRow] {
    let rows = try source.table(ofPart: part, rowLimit: limit).rows
    mapping.releasePages()
    return rows
  }

  /// The part that holds an address of the file.
  func part(holding address: UInt64) -> Int {
    // Addresses before the first part belong to it.
    var low = 1
    var high = source.parts.count
    while low < high {
      let middle = (low + high) / 2
      if source.parts[middle] <= address { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }

  /// The parts that a mapping of the file shows, with their addresses in the process.
  func parts(in mapping: CodeMapping, bias: UInt64) -> [(part: Int, addresses: Range<UInt64>)] {
    var shown: [(part: Int, addresses: Range<UInt64>)] = []
    var start = mapping.start
    for part in part(holding: mapping.start &- bias)..<parts.count where start < mapping.end {
      let next = part + 1 < parts.count ? source.parts[part + 1] &+ bias : mapping.end
      // An address that wraps is behind every mapping.
      let end = next > start ? min(next, mapping.end) : mapping.end
      shown.append((part, start..<end))
      start = end
    }
    return shown
  }

  /// What the kernel is told about a part in a process.
  func entry(part: Int, addresses: Range<UInt64>, bias: UInt64) -> UnwindMapping {
    var entry = UnwindMapping(
      start: addresses.lowerBound, end: addresses.upperBound, base: source.base &+ bias)
    switch parts[part] {
    case .unasked: entry.first = UnwindMapping.unasked
    case .placed(let run, _):
      entry.first = run.lowerBound
      entry.count = UInt32(run.count)
    case .crowdedOut, .without: break
    }
    return entry
  }
}
