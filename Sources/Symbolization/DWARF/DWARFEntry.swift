internal import EBPFObject

/// One entry of a unit: what of it tells of functions (DWARF 5, 2.2 and 3.3).
struct DWARFEntry {
  /// DWARF 5, table 7.3.
  enum Tag {
    static let inlinedSubroutine: UInt64 = 0x1d
    static let subprogram: UInt64 = 0x2e
  }

  var tag: UInt64 = 0
  var hasChildren = false
  var name = DWARFValue.none
  var linkageName = DWARFValue.none
  var low = DWARFValue.none
  var high = DWARFValue.none
  var ranges = DWARFValue.none
  /// The entry that says the rest.
  var origin: UInt64?
  /// The entry after this one's children.
  var sibling: UInt64?
  /// Where an inlined function is called: the number of a file, and a line of it.
  var callFile: UInt64 = 0
  var callLine: UInt64 = 0
  /// Only of the first entry of a unit.
  var lineProgram: UInt64?
  var directory = DWARFValue.none
  var stringOffsetsBase: UInt64?
  var addressBase: UInt64?
  var rangeListsBase: UInt64?

  /// Reads an entry; nil for the end of a list of children.
  init?(
    _ cursor: inout DWARFCursor, _ unit: DWARFUnit, _ abbreviations: DWARFAbbreviations
  ) throws(MalformedDWARF) {
    let code = try cursor.unsigned()
    if code == 0 { return nil }
    guard let form = abbreviations[code] else { throw MalformedDWARF() }
    tag = form.tag
    hasChildren = form.hasChildren
    for index in form.attributes {
      let attribute = abbreviations.attributes[index]
      let value = try unit.value(attribute.form, implicit: attribute.implicit, &cursor)
      set(attribute.name, value)
    }
  }

  // DWARF 5, table 7.5, and what was there before it.
  private mutating func set(_ attribute: UInt64, _ value: DWARFValue) {
    switch attribute {
    case 0x01: if case .entry(let place) = value { sibling = place }
    case 0x03: name = value
    case 0x10: lineProgram = Self.offset(value)
    case 0x11: low = value
    case 0x12: high = value
    case 0x1b: directory = value
    case 0x31, 0x47: if case .entry(let place) = value { origin = place }
    case 0x55: ranges = value
    case 0x58: if case .constant(let file) = value { callFile = file }
    case 0x59: if case .constant(let line) = value { callLine = line }
    case 0x6e, 0x2007: linkageName = value
    case 0x72: stringOffsetsBase = Self.offset(value)
    case 0x73: addressBase = Self.offset(value)
    case 0x74: rangeListsBase = Self.offset(value)
    default: break
    }
  }

  private static func offset(_ value: DWARFValue) -> UInt64? {
    switch value {
    case .sectionOffset(let offset), .constant(let offset): offset
    default: nil
    }
  }
}
