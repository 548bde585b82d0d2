internal import EBPFObject
internal import EBPFSystem

/// The sections of a file's debug information that tell of functions.
struct DWARFSections: Sendable {
  enum Name: Sendable { case information, strings, lineStrings, lines }

  private let file: ELFFile
  /// Without content, until ``expand()``.
  private var isReleased = false
  let information: Bytes
  let abbreviations: Bytes
  /// Empty for a file without lines, and where they cannot be expanded.
  let lines: Bytes
  /// There are lines that cannot be expanded.
  let lacksLines: Bool
  private let strings: Bytes
  private let lineStrings: Bytes
  private let stringOffsets: Bytes
  private let addresses: Bytes
  private let ranges: Bytes
  private let rangeLists: Bytes

  /// A compressed section that is larger than this is not expanded.
  private static let largestExpanded = 64 << 20
  /// Lists with more ranges are not believed.
  private static let mostRanges = 1 << 16
  private static let longestName = 1 << 16

  private static let decompressor = Decompressor { (stream, size) throws(EBPFError) in
    guard size <= largestExpanded else {
      throw EBPFError(.tooLarge, "the section expands to \(size) bytes, which is too much to keep")
    }
    do throws(Inflate.Failure) {
      return try Inflate.decompress(stream.span, limit: size)
    } catch {
      throw EBPFError(.malformed, "the compressed section cannot be expanded")
    }
  }

  /// Nil for a file without.
  init?(_ file: ELFFile) throws(EBPFError) {
    func contents(_ name: String) throws(EBPFError) -> Bytes? {
      guard
        let section = file.section(named: ".debug_" + name)
          ?? file.section(named: ".zdebug_" + name)
      else { return nil }
      return try file.contents(of: section, using: Self.decompressor)
    }
    guard file.order == .little, let information = try contents("info"),
      let abbreviations = try contents("abbrev"), information.count > 0
    else { return nil }
    self.file = file
    self.information = information
    self.abbreviations = abbreviations
    let nothing = Bytes([])
    do throws(EBPFError) {
      lines = try contents("line") ?? nothing
      lacksLines = false
    } catch {
      lines = nothing
      lacksLines = true
    }
    strings = try contents("str") ?? nothing
    lineStrings = try contents("line_str") ?? nothing
    stringOffsets = try contents("str_offsets") ?? nothing
    addresses = try contents("addr") ?? nothing
    ranges = try contents("ranges") ?? nothing
    rangeLists = try contents("rnglists") ?? nothing
  }

  /// Of a file that has them, without their content.
  private init(releasing file: ELFFile) {
    let nothing = Bytes([])
    (self.file, isReleased) = (file, true)
    (information, abbreviations, lines) = (nothing, nothing, nothing)
    (strings, lineStrings, lacksLines) = (nothing, nothing, false)
    (stringOffsets, addresses, ranges, rangeLists) = (nothing, nothing, nothing, nothing)
  }

  /// Drops the content when any of it had to be expanded.
  mutating func releaseExpanded() {
    if expandedSize > 0 { self = DWARFSections(releasing: file) }
  }

  /// Reads again what was dropped.
  mutating func expand() throws(EBPFError) {
    guard isReleased, let sections = try DWARFSections(file) else { return }
    self = sections
  }

  private var all: [Bytes] {
    [
      information, abbreviations, lines, strings, lineStrings, stringOffsets, addresses, ranges,
      rangeLists,
    ]
  }

  /// True when the file became shorter while it was read.
  var wasCutShort: Bool { all.contains { $0.wasCutShort } }
  /// Lets the kernel drop the pages that were read.
  func releasePages() { for bytes in all { bytes.releasePages() } }
  /// The memory that expanded sections take.
  var expandedSize: Int { all.reduce(0) { $0 + ($1.isInMemory ? $1.count : 0) } }

  // MARK: - Values

  func text(_ value: DWARFValue, in unit: DWARFUnit) throws(MalformedDWARF) -> String? {
    switch value {
    case .text(.information, let offset): return try text(information, offset)
    case .text(.strings, let offset): return try text(strings, offset)
    case .text(.lineStrings, let offset): return try text(lineStrings, offset)
    case .text(.lines, let offset): return try text(lines, offset)
    case .textIndex(let index):
      let place = try entry(index, size: unit.offsetSize, base: unit.stringOffsetsBase)
      var cursor = try DWARFCursor(stringOffsets, at: place)
      return try text(strings, try cursor.integer(size: unit.offsetSize))
    default: return nil
    }
  }

  private func text(_ bytes: Bytes, _ offset: UInt64) throws(MalformedDWARF) -> String {
    guard let offset = Int(exactly: offset), offset < bytes.count else { throw MalformedDWARF() }
    let length = bytes.nameLength(at: offset, atMost: Self.longestName)
    guard length < Self.longestName else { throw MalformedDWARF() }
    do throws(EBPFError) { return try bytes.slice(at: offset, count: length).text } catch {
      throw MalformedDWARF()
    }
  }

  private func entry(
    _ index: UInt64, size: Int, base: UInt64
  ) throws(MalformedDWARF) -> UInt64 {
    let (offset, overflow) = index.multipliedReportingOverflow(by: UInt64(size))
    let (place, carry) = base.addingReportingOverflow(offset)
    guard !overflow, !carry else { throw MalformedDWARF() }
    return place
  }

  func address(_ index: UInt64, in unit: DWARFUnit) throws(MalformedDWARF) -> UInt64 {
    let place = try entry(index, size: unit.addressSize, base: unit.addressBase)
    var cursor = try DWARFCursor(addresses, at: place)
    return try cursor.integer(size: unit.addressSize)
  }

  func address(_ value: DWARFValue, in unit: DWARFUnit) throws(MalformedDWARF) -> UInt64? {
    switch value {
    case .address(let address): return address
    case .addressIndex(let index): return try address(index, in: unit)
    default: return nil
    }
  }

  // MARK: - Ranges

  /// The addresses of an entry, by its `low_pc`, `high_pc` and `ranges`.
  func ranges(
    low: DWARFValue, high: DWARFValue, list: DWARFValue, in unit: DWARFUnit
  ) throws(MalformedDWARF) -> [Range<UInt64>] {
    switch list {
    case .sectionOffset(let offset), .constant(let offset):
      return unit.version < 5 ? try oldRanges(at: offset, unit) : try rangeList(at: offset, unit)
    case .listIndex(let index):
      let place = try entry(index, size: unit.offsetSize, base: unit.rangeListsBase)
      var cursor = try DWARFCursor(rangeLists, at: place)
      return try rangeList(
        at: unit.rangeListsBase &+ (try cursor.integer(size: unit.offsetSize)), unit)
    default: break
    }
    guard let start = try address(low, in: unit) else { return [] }
    switch high {
    case .constant(let size): return Self.range(start, start &+ size)
    default: return try address(high, in: unit).map { Self.range(start, $0) } ?? []
    }
  }

  private static func range(_ start: UInt64, _ end: UInt64) -> [Range<UInt64>] {
    // Address 0 is what linkers leave of functions that they dropped.
    start < end && start != 0 ? [start..<end] : []
  }

  /// `.debug_ranges` (DWARF 4, 2.17.3).
  private func oldRanges(
    at offset: UInt64, _ unit: DWARFUnit
  ) throws(MalformedDWARF) -> [Range<UInt64>] {
    var cursor = try DWARFCursor(ranges, at: offset)
    let largest = unit.addressSize == 8 ? UInt64.max : UInt64(UInt32.max)
    var base = unit.lowAddress
    var found: [Range<UInt64>] = []
    for _ in 0..<Self.mostRanges {
      let start = try cursor.integer(size: unit.addressSize)
      let end = try cursor.integer(size: unit.addressSize)
      if start == 0, end == 0 { return found }
      if start == largest { base = end } else { found += Self.range(base &+ start, base &+ end) }
    }
    throw MalformedDWARF()
  }

  /// `.debug_rnglists` (DWARF 5, 2.17.3 and 7.25).
  private func rangeList(
    at offset: UInt64, _ unit: DWARFUnit
  ) throws(MalformedDWARF) -> [Range<UInt64>] {
    var cursor = try DWARFCursor(rangeLists, at: offset)
    var base = unit.lowAddress
    var found: [Range<UInt64>] = []
    for _ in 0..<Self.mostRanges {
      switch try cursor.integer(UInt8.self) {
      case 0: return found
      case 1: base = try address(try cursor.unsigned(), in: unit)
      case 2:
        let start = try address(try cursor.unsigned(), in: unit)
        found += Self.range(start, try address(try cursor.unsigned(), in: unit))
      case 3:
        let start = try address(try cursor.unsigned(), in: unit)
        found += Self.range(start, start &+ (try cursor.unsigned()))
      case 4:
        let start = base &+ (try cursor.unsigned())
        found += Self.range(start, base &+ (try cursor.unsigned()))
      case 5: base = try cursor.integer(size: unit.addressSize)
      case 6:
        let start = try cursor.integer(size: unit.addressSize)
        found += Self.range(start, try cursor.integer(size: unit.addressSize))
      case 7:
        let start = try cursor.integer(size: unit.addressSize)
        found += Self.range(start, start &+ (try cursor.unsigned()))
      default: throw MalformedDWARF()
      }
    }
    throw MalformedDWARF()
  }
}
