internal import EBPFObject

/// Which line of which source file code comes from: the line number program of a unit (DWARF 5, 6.2),
/// run for some addresses.
struct LineProgram {
  /// A line of one of the program's files.
  struct Place: Hashable {
    let file: UInt64
    let line: UInt64
  }

  private let sections: DWARFSections
  /// With the program's own sizes.
  private let unit: DWARFUnit
  private let files: LineProgramFiles
  /// The first operation.
  private let start: DWARFCursor
  private let minimumLength: UInt64
  private let operationsEach: UInt64
  private let lineBase: Int64
  private let lineRange: UInt64
  private let specialBase: UInt8
  /// How many numbers follow each standard operation.
  private let operands: [UInt8]

  /// The bytes of the program.
  var size: Int { start.end - start.position }

  /// Reads the header; nothing of the program itself.
  init(
    _ sections: DWARFSections, at offset: UInt64, of owner: DWARFUnit
  ) throws(MalformedDWARF) {
    var cursor = try DWARFCursor(sections.lines, at: offset)
    let (length, offsetSize) = try cursor.unitLength()
    guard let length = Int(exactly: length), length <= cursor.end - cursor.position else {
      throw MalformedDWARF()
    }
    cursor = try DWARFCursor(
      sections.lines, at: UInt64(cursor.position), to: cursor.position + length)
    var unit = owner
    unit.offsetSize = offsetSize
    unit.version = try cursor.integer()
    guard (2...5).contains(unit.version) else { throw MalformedDWARF() }
    if unit.version >= 5 {
      unit.addressSize = Int(try cursor.integer(UInt8.self))
      // No segments: no machine that is supported has them.
      guard unit.addressSize == 4 || unit.addressSize == 8, try cursor.integer(UInt8.self) == 0
      else { throw MalformedDWARF() }
    }
    let headerLength = try cursor.integer(size: offsetSize)
    var start = cursor
    try start.skip(headerLength)
    minimumLength = UInt64(try cursor.integer(UInt8.self))
    operationsEach = unit.version >= 4 ? UInt64(try cursor.integer(UInt8.self)) : 1
    // Whether a line is the beginning of a statement makes no difference here.
    try cursor.skip(1)
    lineBase = Int64(try cursor.integer(Int8.self))
    lineRange = UInt64(try cursor.integer(UInt8.self))
    specialBase = try cursor.integer()
    guard operationsEach > 0, lineRange > 0, specialBase > 0 else { throw MalformedDWARF() }
    var operands: [UInt8] = []
    for _ in 1..<specialBase { operands.append(try cursor.integer()) }
    self.operands = operands
    self.sections = sections
    self.start = start
    self.unit = unit
    files = try LineProgramFiles(&cursor, unit)
  }

  /// The path of a file of the program; nil when it has no such file.
  func path(of file: UInt64) throws(MalformedDWARF) -> String? {
    try files.path(of: file, in: unit, sections)
  }

  // MARK: - Running

  /// What the program has said when it names the next address.
  private struct Row {
    var address: UInt64 = 0
    var operation: UInt64 = 0
    var file: UInt64 = 1
    var line: Int64 = 1
  }

  /// Where each of these addresses, in order, comes from; nil where the program does not say.
  func places(at addresses: [UInt64]) throws(MalformedDWARF) -> [Place?] {
    var found = Found(addresses)
    var cursor = start
    var row = Row()
    // The row before in the sequence.
    var last: Row?
    var isFirst = true
    var isDropped = false
    while !cursor.isAtEnd, !found.isComplete {
      let code: UInt8 = try cursor.integer()
      var isRow = false
      var isEnd = false
      if code >= specialBase {
        let special = UInt64(code - specialBase)
        advance(&row, by: special / lineRange)
        row.line &+= lineBase + Int64(special % lineRange)
        isRow = true
      } else if code == 0 {
        (isRow, isEnd) = try extended(&cursor, &row)
      } else {
        isRow = try standard(code, &cursor, &row)
      }
      guard isRow else { continue }
      // Address 0 is what linkers leave of functions that they dropped.
      if isFirst { isDropped = row.address == 0 }
      if let last, !isDropped { found.fill(last.address, row.address, last.file, last.line) }
      last = isEnd ? nil : row
      isFirst = isEnd
      if isEnd { row = Row() }
    }
    return found.places
  }

  /// Answers as they are found.
  private struct Found {
    let addresses: [UInt64]
    var places: [Place?]
    private var isKnown: [Bool]
    private var missing: Int

    init(_ addresses: [UInt64]) {
      self.addresses = addresses
      places = [Place?](repeating: nil, count: addresses.count)
      isKnown = [Bool](repeating: false, count: addresses.count)
      missing = addresses.count
    }

    var isComplete: Bool { missing == 0 }

    mutating func fill(_ start: UInt64, _ end: UInt64, _ file: UInt64, _ line: Int64) {
      guard start < end, addresses.last.map({ $0 >= start }) == true else { return }
      var index = addresses.firstIndex(from: start)
      while index < addresses.count, addresses[index] < end {
        if !isKnown[index] {
          isKnown[index] = true
          missing -= 1
          // Line 0: made by the compiler.
          if line > 0 { places[index] = Place(file: file, line: UInt64(line)) }
        }
        index += 1
      }
    }
  }

  private func advance(_ row: inout Row, by operations: UInt64) {
    if operationsEach == 1 {
      row.address &+= minimumLength &* operations
    } else {
      let total = row.operation &+ operations
      row.address &+= minimumLength &* (total / operationsEach)
      row.operation = total % operationsEach
    }
  }

  /// True when the operation makes a row (DWARF 5, 6.2.5.2).
  private func standard(
    _ code: UInt8, _ cursor: inout DWARFCursor, _ row: inout Row
  ) throws(MalformedDWARF) -> Bool {
    switch code {
    case 1: return true
    case 2: advance(&row, by: try cursor.unsigned())
    case 3: row.line &+= try cursor.signed()
    case 4: row.file = try cursor.unsigned()
    case 8: advance(&row, by: UInt64(255 - specialBase) / lineRange)
    case 9:
      row.address &+= UInt64(try cursor.integer(UInt16.self))
      row.operation = 0
    default: for _ in 0..<operands[Int(code) - 1] { _ = try cursor.unsigned() }
    }
    return false
  }

  /// Whether the operation makes a row, and ends the sequence (DWARF 5, 6.2.5.3).
  private func extended(
    _ cursor: inout DWARFCursor, _ row: inout Row
  ) throws(MalformedDWARF) -> (isRow: Bool, isEnd: Bool) {
    let length = try cursor.unsigned()
    guard length > 0 else { throw MalformedDWARF() }
    var own = cursor
    try cursor.skip(length)
    switch try own.integer(UInt8.self) {
    case 1: return (true, true)
    case 2:
      row.address = try own.integer(size: length > 9 ? 0 : Int(length) - 1)
      row.operation = 0
    default: break
    }
    return (false, false)
  }
}

extension [UInt64] {
  /// The first index of an element that is not less, in a sorted array.
  func firstIndex(from start: UInt64) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < start { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
