internal import EBPFObject

/// The source files of a line number program, which refers to them by number (DWARF 5, 6.2.4).
struct LineProgramFiles {
  private struct Entry {
    var name = DWARFValue.none
    var directory: UInt64 = 0
  }

  private var directories: [Entry] = []
  private var files: [Entry] = []
  /// The number of the first file: 1 before DWARF 5. The directory 0 is then the unit's own.
  private let isNumberedFromOne: Bool

  /// More is not believed.
  private static let mostEntries = 1 << 18

  /// Reads the tables at the cursor.
  init(_ cursor: inout DWARFCursor, _ unit: DWARFUnit) throws(MalformedDWARF) {
    isNumberedFromOne = unit.version < 5
    if isNumberedFromOne {
      directories = try Self.oldEntries(&cursor, areFiles: false)
      files = try Self.oldEntries(&cursor, areFiles: true)
    } else {
      directories = try Self.entries(&cursor, unit)
      files = try Self.entries(&cursor, unit)
    }
  }

  private static func oldEntries(
    _ cursor: inout DWARFCursor, areFiles: Bool
  ) throws(MalformedDWARF) -> [Entry] {
    var entries: [Entry] = []
    while true {
      let start = cursor.position
      try cursor.skipText()
      guard cursor.position > start + 1 else { return entries }
      var entry = Entry(name: .text(.lines, UInt64(start)))
      if areFiles {
        entry.directory = try cursor.unsigned()
        // When it was changed, and how long it is.
        _ = try cursor.unsigned()
        _ = try cursor.unsigned()
      }
      entries.append(entry)
      guard entries.count <= mostEntries else { throw MalformedDWARF() }
    }
  }

  private static func entries(
    _ cursor: inout DWARFCursor, _ unit: DWARFUnit
  ) throws(MalformedDWARF) -> [Entry] {
    var formats: [(content: UInt64, form: UInt64)] = []
    for _ in 0..<(try cursor.integer(UInt8.self)) {
      formats.append((try cursor.unsigned(), try cursor.unsigned()))
    }
    let count = try cursor.unsigned()
    // Each takes a byte at least.
    guard count <= UInt64(mostEntries), count == 0 || !formats.isEmpty,
      count <= UInt64(cursor.end - cursor.position)
    else { throw MalformedDWARF() }
    var entries: [Entry] = []
    entries.reserveCapacity(Int(count))
    for _ in 0..<count {
      var entry = Entry()
      for (content, form) in formats {
        let value = try unit.value(form, implicit: 0, &cursor)
        switch (content, value) {
        // A text that stands here stands in this section.
        case (1, .text(.information, let place)): entry.name = .text(.lines, place)
        case (1, _): entry.name = value
        case (2, .constant(let number)): entry.directory = number
        default: break
        }
      }
      entries.append(entry)
    }
    return entries
  }

  /// The path of a file, made absolute by the directories it is in; nil when there is no such file.
  func path(
    of file: UInt64, in unit: DWARFUnit, _ sections: DWARFSections
  ) throws(MalformedDWARF) -> String? {
    let number = isNumberedFromOne ? file &- 1 : file
    guard number < UInt64(files.count) else { return nil }
    let entry = files[Int(number)]
    guard var path = try sections.text(entry.name, in: unit), !path.isEmpty else { return nil }
    if path.hasPrefix("/") { return path }
    if let directory = try directory(entry.directory, in: unit, sections), !directory.isEmpty {
      path = Self.joined(directory, path)
    }
    guard !path.hasPrefix("/"), let home = try sections.text(unit.directory, in: unit),
      !home.isEmpty
    else { return path }
    return Self.joined(home, path)
  }

  private static func joined(_ directory: String, _ path: String) -> String {
    directory.hasSuffix("/") ? directory + path : directory + "/" + path
  }

  private func directory(
    _ number: UInt64, in unit: DWARFUnit, _ sections: DWARFSections
  ) throws(MalformedDWARF) -> String? {
    if isNumberedFromOne, number == 0 { return nil }
    let index = isNumberedFromOne ? number - 1 : number
    guard index < UInt64(directories.count) else { return nil }
    return try sections.text(directories[Int(index)].name, in: unit)
  }
}
