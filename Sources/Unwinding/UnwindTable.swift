public import EBPFObject

/// How to walk the stack from every address of one file, without frame pointers.
///
/// Made from `.eh_frame`, which compilers write for exceptions and which stripping leaves. x86-64
/// only. The rows are sorted, and rows that say the same as the one before are left out.
public struct UnwindTable: Sendable {
  /// The address, before any load bias, that rows are relative to.
  public let base: UInt64
  /// The rows, by address.
  public let rows: [UnwindRow]
  /// Functions that are described.
  public let functionCount: Int
  /// Entries that are not what they should be; their addresses are `unknown`.
  public let malformedEntries: Int

  /// Reads a file's table; empty when the file has none.
  ///
  /// Throws `unsupported` for another processor or for code that spans 4 GiB and more, `tooLarge`
  /// when it would have more rows than the limit.
  public init(_ file: ELFFile, rowLimit: Int = 4_000_000) throws(EBPFError) {
    guard file.machine == ELFFile.Machine.x86_64, file.is64Bit, file.order == .little else {
      throw EBPFError(
        .unsupported, "stack walking by .eh_frame is there for x86-64 only",
        hint: "build the program with frame pointers (-fno-omit-frame-pointer)")
    }
    guard let (bytes, address) = try Self.frames(of: file) else {
      base = 0
      rows = []
      functionCount = 0
      malformedEntries = 0
      return
    }
    let code = try Self.code(of: file)
    let information = CallFrameInformation(bytes, address: address)
    var builder = Builder(code: code, rowLimit: rowLimit)
    try builder.add(information)
    base = builder.base
    rows = builder.rows
    functionCount = information.functions.count
    malformedEntries = information.malformed + builder.malformed
  }

  /// The addresses that hold code, from the first to the last.
  private static func code(of file: ELFFile) throws(EBPFError) -> Range<UInt64> {
    var start = UInt64.max
    var end: UInt64 = 0
    for segment in file.segments
    where segment.type == ELFFile.SegmentType.load
      && segment.flags & ELFFile.SegmentFlag.execute != 0
    {
      start = min(start, segment.virtualAddress)
      let (last, overflow) = segment.virtualAddress.addingReportingOverflow(segment.memorySize)
      end = max(end, overflow ? .max : last)
    }
    guard start < end else { return 0..<0 }
    guard end - start <= UInt64(UInt32.max) else {
      throw EBPFError(.unsupported, "the file's code spans 4 GiB or more")
    }
    return start..<end
  }

  /// The section, or without sections what the program header of its index points to.
  private static func frames(of file: ELFFile) throws(EBPFError) -> (Bytes, UInt64)? {
    if let section = file.section(named: ".eh_frame") {
      return (try file.contents(of: section), section.address)
    }
    guard let index = file.segments.first(where: { $0.type == Self.indexSegment }) else {
      return nil
    }
    // Version 1, then the encodings of the pointer, of the count and of the table.
    let header = try file.contents(of: index)
    var cursor = FrameCursor(header, from: 0, to: header.count)
    guard cursor.integer(UInt8.self) == 1, let encoding = cursor.integer(UInt8.self),
      cursor.integer(UInt16.self) != nil,
      let address = cursor.pointer(encoding, sectionAddress: index.virtualAddress),
      let segment = file.segments.first(where: {
        $0.type == ELFFile.SegmentType.load && address >= $0.virtualAddress
          && address - $0.virtualAddress < $0.fileSize
      })
    else { return nil }
    let skipped = address - segment.virtualAddress
    let loaded = try file.contents(of: segment)
    return (try loaded.slice(at: skipped, count: segment.fileSize - skipped), address)
  }

  /// `PT_GNU_EH_FRAME`.
  private static let indexSegment: UInt32 = 0x6474_e550

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
    private let rowLimit: Int
    private(set) var rows: [UnwindRow] = []
    private(set) var malformed = 0
    /// Compilers align functions to 16 bytes.
    private static let smallestGap: UInt64 = 16
    /// Where the function before ended.
    private var covered: UInt64

    init(code: Range<UInt64>, rowLimit: Int) {
      self.code = code
      self.rowLimit = rowLimit
      covered = code.lowerBound
    }

    var base: UInt64 { code.lowerBound }

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
          append(UnwindRow(offset: offset(covered), frame: .unknown))
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
        guard rows.count <= rowLimit else {
          throw EBPFError(
            .tooLarge, "the file needs more than \(rowLimit) unwind rows",
            context: [.section(".eh_frame")])
        }
      }
      append(UnwindRow(offset: offset(covered), frame: .unknown))
    }

    /// Proved to fit by the span of `code`.
    private func offset(_ address: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: address - base) }

    /// Adds a row; one for the same address replaces what was said before.
    private mutating func append(_ row: UnwindRow) {
      if let last = rows.last, last.offset == row.offset { rows.removeLast() }
      if let last = rows.last, last.continues(row) { return }
      rows.append(row)
    }
  }
}
