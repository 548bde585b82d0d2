internal import EBPFObject

/// The header of a unit of `.debug_info`, and what its first entry says for all others
/// (DWARF 5, 7.5.1).
struct DWARFUnit: Sendable {
  /// Where the unit begins and ends in the section.
  var start: UInt64 = 0
  var end = 0
  var version: UInt16 = 0
  var offsetSize = 4
  var addressSize = 8
  var abbreviations: UInt64 = 0
  /// Where its first entry is.
  var firstEntry = 0
  /// Types and split units have no code.
  var hasCode = true

  var addressBase: UInt64 = 0
  var stringOffsetsBase: UInt64 = 0
  var rangeListsBase: UInt64 = 0
  /// What range lists are relative to.
  var lowAddress: UInt64 = 0
  /// The unit's line number program.
  var lineProgram: UInt64?
  /// The directory that its compiler ran in.
  var directory = DWARFValue.none

  /// Reads the header at the cursor, and moves the cursor behind the unit.
  init(_ cursor: inout DWARFCursor) throws(MalformedDWARF) {
    start = UInt64(cursor.position)
    let (length, size) = try cursor.unitLength()
    offsetSize = size
    guard let length = Int(exactly: length), length <= cursor.end - cursor.position else {
      throw MalformedDWARF()
    }
    end = cursor.position + length
    var header = try DWARFCursor(cursor.bytes, at: UInt64(cursor.position), to: end)
    try cursor.skip(UInt64(length))
    version = try header.integer()
    var kind: UInt8 = 1
    switch version {
    case 2...4:
      abbreviations = try header.integer(size: offsetSize)
      addressSize = Int(try header.integer(UInt8.self))
    case 5:
      kind = try header.integer()
      addressSize = Int(try header.integer(UInt8.self))
      abbreviations = try header.integer(size: offsetSize)
      if kind == 4 || kind == 5 { try header.skip(8) }
    default:
      hasCode = false
      return
    }
    guard addressSize == 4 || addressSize == 8 else { throw MalformedDWARF() }
    // DW_UT_compile, _partial and _skeleton.
    hasCode = kind == 1 || kind == 3 || kind == 4
    firstEntry = header.position
    // What is before the first one in a split or stripped section; without the attribute it is here.
    stringOffsetsBase = offsetSize == 4 ? 8 : 16
  }
}

/// The value of an attribute, as far as it is of use.
enum DWARFValue {
  case none
  case address(UInt64)
  case addressIndex(UInt64)
  case constant(UInt64)
  /// Zero-terminated, in the section.
  case text(DWARFSections.Name, UInt64)
  case textIndex(UInt64)
  /// The place of an entry in `.debug_info`.
  case entry(UInt64)
  case sectionOffset(UInt64)
  case listIndex(UInt64)
}

extension DWARFUnit {
  /// Reads a value, or passes over it (DWARF 5, 7.5.6).
  func value(
    _ form: UInt64, implicit: Int64, _ cursor: inout DWARFCursor
  ) throws(MalformedDWARF) -> DWARFValue {
    switch form {
    case 0x01: return .address(try cursor.integer(size: addressSize))
    case 0x03: try cursor.skip(UInt64(try cursor.integer(UInt16.self)))
    case 0x04: try cursor.skip(UInt64(try cursor.integer(UInt32.self)))
    case 0x05: return .constant(UInt64(try cursor.integer(UInt16.self)))
    // Before DWARF 4 these were also offsets; whoever wants one takes both.
    case 0x06: return .constant(UInt64(try cursor.integer(UInt32.self)))
    case 0x07: return .constant(try cursor.integer())
    case 0x08:
      let start = UInt64(cursor.position)
      try cursor.skipText()
      return .text(.information, start)
    case 0x09, 0x18: try cursor.skip(try cursor.unsigned())
    case 0x0a: try cursor.skip(UInt64(try cursor.integer(UInt8.self)))
    case 0x0b, 0x0c: return .constant(UInt64(try cursor.integer(UInt8.self)))
    case 0x0d: return .constant(UInt64(bitPattern: try cursor.signed()))
    case 0x0e: return .text(.strings, try cursor.integer(size: offsetSize))
    case 0x0f: return .constant(try cursor.unsigned())
    case 0x10:
      return .entry(try cursor.integer(size: version == 2 ? addressSize : offsetSize))
    case 0x11...0x14: return .entry(start &+ (try cursor.integer(size: 1 << Int(form - 0x11))))
    case 0x15: return .entry(start &+ (try cursor.unsigned()))
    case DWARFForm.indirect:
      let actual = try cursor.unsigned()
      guard actual != DWARFForm.indirect, actual != DWARFForm.implicitConstant else {
        throw MalformedDWARF()
      }
      return try value(actual, implicit: 0, &cursor)
    case 0x17: return .sectionOffset(try cursor.integer(size: offsetSize))
    case 0x19: return .constant(1)
    case 0x1a, 0x1f02: return .textIndex(try cursor.unsigned())
    case 0x1b, 0x1f01: return .addressIndex(try cursor.unsigned())
    case 0x1c: try cursor.skip(4)
    case 0x1d, 0x1f20, 0x1f21: try cursor.skip(UInt64(offsetSize))
    case 0x1e: try cursor.skip(16)
    case 0x1f: return .text(.lineStrings, try cursor.integer(size: offsetSize))
    case 0x20, 0x24: try cursor.skip(8)
    case DWARFForm.implicitConstant: return .constant(UInt64(bitPattern: implicit))
    case 0x22: _ = try cursor.unsigned()
    case 0x23: return .listIndex(try cursor.unsigned())
    case 0x25...0x28: return .textIndex(try cursor.integer(size: Int(form - 0x24)))
    case 0x29...0x2c: return .addressIndex(try cursor.integer(size: Int(form - 0x28)))
    default: throw MalformedDWARF()
    }
    return .none
  }
}
