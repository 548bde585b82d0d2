public import EBPF
internal import EBPFSystem
internal import Unwinding

/// The unwind table of one file: how large it is and how much of the code it describes.
public struct UnwindSummary: Sendable, Hashable {
  /// Functions that `.eh_frame` describes.
  public private(set) var functions = 0
  /// Its entries that make no sense.
  public private(set) var malformedEntries = 0
  /// Rows in all parts.
  public private(set) var rows = 0
  /// Different rules among them, whatever the address.
  public private(set) var uniqueRules = 0
  /// What the rows take in the kernel.
  public var bytes: Int { rows * 8 }
  /// The parts that are read one by one.
  public private(set) var parts = 0
  /// Bytes of code in the file.
  public private(set) var codeBytes: UInt64 = 0
  /// Bytes of code that a row tells how to leave.
  public private(set) var coveredBytes: UInt64 = 0

  /// Reads a file; `row` gets each row, in words.
  public init(path: String, _ row: (_ address: UInt64, _ rule: String) -> Void) throws(EBPFError) {
    let file = try EBPFError.at(.file(path)) { () throws(EBPFError) in
      let bytes: Bytes
      do throws(Errno) { bytes = try MappedFile.open(path) } catch {
        throw EBPFError(
          .system, "the file cannot be opened",
          systemCall: .init(call: "open", errno: error.rawValue, name: error.name))
      }
      return try ELFFile(bytes)
    }
    let source = try UnwindSource(file)
    parts = source.parts.count
    let code = file.sections.filter { $0.isExecutable && $0.size > 0 }
      .map { $0.address..<($0.address &+ $0.size) }.filter { !$0.isEmpty }
    for range in code { codeBytes += UInt64(range.count) }
    var rules: Set<UInt64> = []
    for part in source.parts.indices {
      let table = try source.table(ofPart: part, rowLimit: 1 << 24)
      functions += table.functionCount
      malformedEntries += table.malformedEntries
      rows += table.rows.count
      for (index, entry) in table.rows.enumerated() {
        rules.insert(entry.bits >> 32)
        let start = source.base &+ UInt64(entry.offset)
        row(start, entry.words)
        guard entry.frame != .unknown, entry.frame != .unsupported else { continue }
        let end =
          index + 1 < table.rows.count
          ? source.base &+ UInt64(table.rows[index + 1].offset) : code.last?.upperBound ?? start
        for range in code where start < end && range.overlaps(start..<end) {
          coveredBytes += UInt64(range.clamped(to: start..<end).count)
        }
      }
    }
    uniqueRules = rules.count
  }
}

extension UnwindRow {
  /// The rule as `readelf --debug-dump=frames-interp` writes it: `CFA rsp+16, rbp c-16`.
  fileprivate var words: String {
    func distance(_ words: Int) -> String { words < 0 ? "\(words * 8)" : "+\(words * 8)" }
    let place: String
    switch frame {
    case .unknown: return "unknown"
    case .unsupported: return "unsupported"
    case .outermost: return "outermost"
    case .signal: return "signal frame"
    case .linkageTable: return "linkage table"
    case .stackPointer: place = "rsp" + distance(frameWords)
    case .framePointer: place = "rbp" + distance(frameWords)
    case .savedAtFramePointer: place = "[rbp" + distance(frameWords) + "]"
    }
    switch framePointer {
    case .unchanged: return "CFA \(place)"
    case .savedAtFrame: return "CFA \(place), rbp c" + distance(framePointerWords)
    case .savedAtFramePointer: return "CFA \(place), rbp [rbp" + distance(framePointerWords) + "]"
    case .lost: return "CFA \(place), rbp lost"
    }
  }
}
