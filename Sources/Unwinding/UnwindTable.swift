internal import EBPFObject

/// How to walk the stack from the addresses of one file, or of one part of it, without frame pointers.
///
/// Made from `.eh_frame`, which compilers write for exceptions and which stripping leaves, and from
/// the machine code of what that does not describe. x86-64 only. The rows are sorted, and rows that say
/// the same as the one before are left out.
public struct UnwindTable: Sendable {
  /// The address, before any load bias, that rows are relative to.
  public let base: UInt64
  /// The rows, by address.
  public let rows: [UnwindRow]
  /// Functions that are described.
  public let functionCount: Int
  /// Entries that are not what they should be; their addresses are `unknown`.
  public let malformedEntries: Int

  /// The rows for the addresses in `code`. Throws `tooLarge` when there are more than the limit.
  init(
    _ information: CallFrameInformation, filledBy filler: CodeRows, of code: Range<UInt64>,
    base: UInt64, rowLimit: Int
  ) throws(EBPFError) {
    var builder = Builder(code: code, filler: filler, base: base, rowLimit: rowLimit)
    try builder.add(information)
    self.base = base
    rows = builder.rows
    functionCount = information.functions.count
    malformedEntries = information.malformed + builder.malformed
  }

  /// The row that holds at an address of the file; nil where nothing is known.
  public func row(at address: UInt64) -> UnwindRow? {
    guard address >= base, let offset = UInt32(exactly: address - base) else { return nil }
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if rows[middle].offset <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > 0, rows[low - 1].frame != .unknown else { return nil }
    return rows[low - 1]
  }
}

extension UnwindTable {
  /// Collects rows in the order of their addresses.
  private struct Builder {
    private let code: Range<UInt64>
    private let filler: CodeRows
    private let base: UInt64
    private let rowLimit: Int
    private(set) var rows: [UnwindRow] = []
    private(set) var malformed = 0
    /// Compilers align functions to 16 bytes.
    private static let smallestGap: UInt64 = 16
    /// Where the function before ended.
    private var covered: UInt64

    init(code: Range<UInt64>, filler: CodeRows, base: UInt64, rowLimit: Int) {
      self.code = code
      self.filler = filler
      self.base = base
      self.rowLimit = rowLimit
      covered = code.lowerBound
    }

    mutating func add(_ information: CallFrameInformation) throws(EBPFError) {
      var programs = [CallFrameProgram?](repeating: nil, count: information.commons.count)
      for index in information.commons.indices {
        programs[index] = CallFrameProgram(information, common: index)
      }
      for function in information.functions {
        guard code.contains(function.start), function.end <= code.upperBound else {
          malformed += 1
          continue
        }
        guard function.end > covered else { continue }
        // Less is padding, which nothing returns to.
        if function.start - min(covered, function.start) >= Self.smallestGap {
          fill(upTo: function.start)
        }
        let from = max(function.start, covered)
        let isSignal = information.commons[function.common].isSignal
        let isWhole =
          programs[function.common]?.run(function) { address, rules in
            guard address < function.end else { return }
            append(rules.row(at: offset(max(address, from)), isSignal: isSignal))
          } ?? false
        if !isWhole { malformed += 1 }
        covered = function.end
        try check()
      }
      fill(upTo: code.upperBound)
      try check()
    }

    private func check() throws(EBPFError) {
      guard rows.count <= rowLimit else {
        throw EBPFError(
          .tooLarge, "the file needs more than \(rowLimit) unwind rows",
          context: [.section(".eh_frame")])
      }
    }

    /// What no function describes, up to an address.
    private mutating func fill(upTo end: UInt64) {
      append(UnwindRow(offset: offset(covered), frame: .unknown))
      guard covered < end else { return }
      filler.fill(covered..<end, base: base) { append($0) }
    }

    /// Proved to fit by the span of `code`.
    private func offset(_ address: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: address - base) }

    /// Adds a row; one for the same address replaces what was said before, and one for an address
    /// before that, which only a damaged file has, is left out: rows are in order.
    private mutating func append(_ row: UnwindRow) {
      if let last = rows.last {
        guard row.offset >= last.offset else {
          malformed += 1
          return
        }
        if last.offset == row.offset { rows.removeLast() }
      }
      if let last = rows.last, last.continues(row) { return }
      rows.append(row)
    }
  }
}
