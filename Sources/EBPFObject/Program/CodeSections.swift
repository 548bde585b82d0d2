/// A function as the object's symbols give it: a range of a section's instructions.
struct CodeFunction {
  let name: String
  /// The section's index.
  let section: Int
  /// The first instruction, counted from the section's start.
  let start: Int
  let count: Int
  let isGlobal: Bool
  /// True for a global function that only this object shall see.
  let isHidden: Bool

  var end: Int { start + count }
}

/// One executable section: its instructions and everything that is attached to them.
struct CodeSection {
  let index: Int
  let name: String
  let fileOffset: UInt64
  /// A whole number of instructions.
  let code: Bytes
  let order: ByteOrder
  /// How many instructions there are.
  var count: Int { code.count / Instruction.size }
  /// In order of instruction.
  var relocations: [Relocation] = []
  var functionRecords: [BTFExt.FunctionRecord] = []
  var lineRecords: [BTFExt.LineRecord] = []
  var coreRecords: [BTFExt.RelocationRecord] = []

  /// A relocation and the instruction it changes.
  struct Relocation {
    let instruction: Int
    let symbol: UInt32
    let type: UInt32
    let addend: Int64
  }
}

/// All executable sections of an object.
struct CodeSections {
  /// In order of section index.
  private(set) var sections: [CodeSection] = []
  /// In order of section and address.
  private(set) var functions: [CodeFunction] = []
  /// Where in ``sections`` each of the file's sections is; -1 for one without code.
  private var places: [Int]
  /// Of each address where functions begin the one that counts, in order of section and address.
  private var starts: [Int] = []
  /// The section of subprograms; nil when there is none.
  private(set) var textIndex: Int?

  init(
    _ parser: ObjectParser, _ symbols: SymbolIndex, _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    places = [Int](repeating: -1, count: parser.elf.sections.count)
    var budget = parser.elf.bytes.count
    for section in parser.elf.sections
    where section.isExecutable && section.type == ELFFile.SectionType.programBits
      && section.size > 0
    {
      let name = parser.sectionNames[section.index]
      let code = try findings.attempt { () throws(EBPFError) in
        try EBPFError.at(.section(name)) { () throws(EBPFError) in
          try Self.decode(section, name, parser, &budget)
        }
      }
      guard let code else { continue }
      places[section.index] = sections.count
      sections.append(code)
      if name == ".text", textIndex == nil { textIndex = section.index }
    }
    try readFunctions(symbols, &findings)
    try readRelocations(parser, &findings)
    try readExtendedInformation(parser, &findings)
  }

  /// The code in one of the file's sections; nil for a section without code.
  subscript(index: Int) -> CodeSection? { place(of: index).map { sections[$0] } }

  /// Where in ``sections`` one of the file's sections is.
  private func place(of index: Int) -> Int? {
    places.indices.contains(index) && places[index] >= 0 ? places[index] : nil
  }

  /// True for a section with code.
  func contains(_ index: Int) -> Bool { place(of: index) != nil }

  /// The function that begins at an instruction of a section.
  func function(at instruction: Int, inSection section: Int) -> Int? {
    var low = 0
    var high = starts.count
    while low < high {
      let middle = low + (high - low) / 2
      let function = functions[starts[middle]]
      if (function.section, function.start) < (section, instruction) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < starts.count, functions[starts[low]].section == section,
      functions[starts[low]].start == instruction
    else { return nil }
    return starts[low]
  }

  private static func decode(
    _ section: ELFFile.Section, _ name: String, _ parser: ObjectParser, _ budget: inout Int
  ) throws(EBPFError) -> CodeSection {
    let bytes = try parser.contents(of: section)
    guard bytes.count % 8 == 0 else {
      throw EBPFError(
        .malformed, "the section has \(bytes.count) bytes, but an instruction has 8",
        context: [.offset(section.offset)], hint: "the file may have been copied only in part")
    }
    guard bytes.count <= budget else {
      throw EBPFError(
        .malformed, "the code sections together are larger than the file: they overlap",
        context: [.offset(section.offset)])
    }
    budget -= bytes.count
    return CodeSection(
      index: section.index, name: name, fileOffset: section.offset, code: bytes,
      order: parser.elf.order)
  }

  private mutating func readFunctions(
    _ symbols: SymbolIndex, _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    for entry in symbols.functions {
      let symbol = entry.symbol
      guard let place = place(of: entry.place.section) else { continue }
      let size = UInt64(sections[place].count) * 8
      guard symbol.value <= size, symbol.size <= size - symbol.value else {
        try findings.fail(
          EBPFError(
            .malformed,
            "function '\(entry.name)' has \(symbol.size) bytes at \(symbol.value), its section \(size)",
            context: [.section(sections[place].name), .symbol(entry.name)],
            hint: "the symbol table is damaged; build or copy the file again"))
        continue
      }
      guard symbol.value % 8 == 0, symbol.size % 8 == 0 else {
        try findings.fail(
          EBPFError(
            .malformed, "function '\(entry.name)' does not begin and end with an instruction",
            context: [.section(sections[place].name), .symbol(entry.name)]))
        continue
      }
      // What has no instructions cannot be called or loaded.
      guard symbol.size > 0 else { continue }
      functions.append(
        CodeFunction(
          name: entry.name, section: entry.place.section, start: Int(symbol.value / 8),
          count: Int(symbol.size / 8),
          isGlobal: symbol.binding != ELFFile.SymbolBinding.local,
          isHidden: symbol.binding != ELFFile.SymbolBinding.local
            && (symbol.visibility == ELFFile.SymbolVisibility.hidden
              || symbol.visibility == ELFFile.SymbolVisibility.internal)
        ))
    }
    functions.sort { ($0.section, $0.start) < ($1.section, $1.start) }
    starts.reserveCapacity(functions.count)
    for (index, function) in functions.enumerated() {
      guard let last = starts.last, functions[last].section == function.section,
        functions[last].start == function.start
      else {
        starts.append(index)
        continue
      }
      // Of several names for one address a global one counts.
      if !functions[last].isGlobal, function.isGlobal { starts[starts.count - 1] = index }
    }
  }

  private mutating func readRelocations(
    _ parser: ObjectParser, _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    var budget = parser.elf.bytes.count
    for section in parser.elf.sections
    where section.type == ELFFile.SectionType.relocations
      || section.type == ELFFile.SectionType.relocationsWithAddend
    {
      guard let place = place(of: Int(section.info)) else { continue }
      let name = parser.sectionNames[section.index]
      try findings.attempt { () throws(EBPFError) in
        guard section.size <= UInt64(budget) else {
          throw EBPFError(
            .malformed, "the relocations together are larger than the file: they overlap",
            context: [.section(name), .offset(section.offset)])
        }
        budget -= Int(section.size)
        try readRelocations(of: place, from: section, name, parser.elf)
      }
    }
    for index in sections.indices {
      sections[index].relocations.sort { $0.instruction < $1.instruction }
    }
  }

  private mutating func readRelocations(
    of place: Int, from section: ELFFile.Section, _ name: String, _ elf: ELFFile
  ) throws(EBPFError) {
    let count = sections[place].count
    for (number, relocation) in try elf.relocations(in: section).enumerated() {
      guard relocation.offset % 8 == 0, relocation.offset / 8 < UInt64(count) else {
        throw EBPFError(
          .malformed,
          "relocation \(number) is for offset \(relocation.offset) of \(sections[place].name)",
          context: [.section(name), .offset(section.offset)],
          hint: "it must be that of one of the \(count) instructions")
      }
      sections[place].relocations.append(
        CodeSection.Relocation(
          instruction: Int(relocation.offset / 8), symbol: relocation.symbolIndex,
          type: relocation.type, addend: relocation.addend ?? 0))
    }
  }

  private mutating func readExtendedInformation(
    _ parser: ObjectParser, _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    guard let information = parser.btfExt else { return }
    var places = SectionPlaces(sections)
    for part in information.functions {
      guard let place = places.find(part.name) else { continue }
      sections[place].functionRecords.add(part.records)
    }
    for part in information.lines {
      guard let place = places.find(part.name) else { continue }
      sections[place].lineRecords.add(part.records)
    }
    for part in information.relocations {
      guard let place = places.find(part.name) else { continue }
      sections[place].coreRecords.add(part.records)
    }
    for place in sections.indices {
      sections[place].functionRecords.sortByOffset()
      sections[place].lineRecords.sortByOffset()
      sections[place].coreRecords.sortByOffset()
      let count = sections[place].count
      for record in sections[place].coreRecords
      where record.byteOffset % 8 != 0 || record.byteOffset / 8 >= count {
        try findings.fail(
          EBPFError(
            .malformed, "a CO-RE record is for offset \(record.byteOffset)",
            context: [.section(sections[place].name)],
            hint: "it must be that of one of the \(count) instructions"))
        break
      }
    }
  }
}

/// Where each code section is, by name; of several sections with one name the first is meant.
struct SectionPlaces {
  private let names: [String]
  private var places: [String: Int] = [:]
  private let isUnique: Bool
  private var next = 0

  init(_ sections: [CodeSection]) {
    names = sections.map(\.name)
    places.reserveCapacity(names.count)
    for (place, name) in names.enumerated() where places[name] == nil { places[name] = place }
    isUnique = places.count == names.count
  }

  /// The place of a section; asking in the file's order is cheapest.
  mutating func find(_ name: String) -> Int? {
    if next == names.count { next = 0 }
    if isUnique, next < names.count, names[next] == name {
      next += 1
      return next - 1
    }
    guard let place = places[name] else { return nil }
    next = place + 1
    return place
  }
}

extension Array where Element: BTFExtRecord {
  /// Appends records; the first ones are shared and not copied.
  fileprivate mutating func add(_ records: [Element]) {
    if isEmpty { self = records } else { self += records }
  }

  /// Sorts the records, which compilers have written in order, by where they apply.
  fileprivate mutating func sortByOffset() {
    for index in indices.dropFirst() where self[index].byteOffset < self[index - 1].byteOffset {
      sort { $0.byteOffset < $1.byteOffset }
      return
    }
  }
}
