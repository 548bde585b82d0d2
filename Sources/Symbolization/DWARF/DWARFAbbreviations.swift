internal import EBPFObject

/// The forms that entries of a unit have: tag and attributes by code (DWARF 5, 7.5.3).
struct DWARFAbbreviations {
  struct Attribute {
    let name: UInt64
    let form: UInt64
    let implicit: Int64
  }

  struct Entry {
    let tag: UInt64
    let hasChildren: Bool
    let attributes: Range<Int>
  }

  private(set) var attributes: [Attribute] = []
  /// Compilers number from 1 on.
  private var numbered: [Entry?] = []
  private var others: [UInt64: Entry] = [:]

  /// More is not believed: C++ has some hundred forms and ten attributes each.
  private static let mostEntries = 1 << 16
  private static let mostAttributes = 1 << 18

  init(_ bytes: Bytes, at offset: UInt64) throws(MalformedDWARF) {
    var cursor = try DWARFCursor(bytes, at: offset)
    var count = 0
    while true {
      let code = try cursor.unsigned()
      if code == 0 { return }
      count += 1
      guard count <= Self.mostEntries else { throw MalformedDWARF() }
      let tag = try cursor.unsigned()
      let hasChildren = try cursor.integer(UInt8.self) != 0
      let first = attributes.count
      while true {
        let name = try cursor.unsigned()
        let form = try cursor.unsigned()
        let implicit = form == DWARFForm.implicitConstant ? try cursor.signed() : 0
        if name == 0, form == 0 { break }
        attributes.append(Attribute(name: name, form: form, implicit: implicit))
        guard attributes.count <= Self.mostAttributes else { throw MalformedDWARF() }
      }
      let entry = Entry(tag: tag, hasChildren: hasChildren, attributes: first..<attributes.count)
      if code <= UInt64(Self.mostEntries) {
        while numbered.count <= Int(code) { numbered.append(nil) }
        if numbered[Int(code)] == nil { numbered[Int(code)] = entry }
      } else {
        others[code] = entry
      }
    }
  }

  subscript(code: UInt64) -> Entry? {
    code < UInt64(numbered.count) ? numbered[Int(code)] : others[code]
  }
}

/// The forms that are named in more than one place (DWARF 5, table 7.6).
enum DWARFForm {
  static let implicitConstant: UInt64 = 0x21
  static let indirect: UInt64 = 0x16
}
