// What maps hold from the start, given by relocations of their definitions.
extension ObjectParser {
  /// Reads the relocations of `.maps`: inner maps and the programs of program arrays.
  func readSlots(
    into maps: inout MapTable, _ linker: Linker, _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    guard let section = elf.section(named: ".maps") else { return }
    for relocations in elf.sections
    where relocations.info == section.index
      && (relocations.type == ELFFile.SectionType.relocations
        || relocations.type == ELFFile.SectionType.relocationsWithAddend)
    {
      let list = try findings.attempt { () throws(EBPFError) in
        try elf.relocations(in: relocations)
      }
      let definitions = maps.definitions.sorted { $0.offset < $1.offset }
      let content = try findings.attempt { () throws(EBPFError) in try contents(of: section) }
      guard let content else { return }
      for relocation in list ?? [] {
        try findings.attempt { () throws(EBPFError) in
          try EBPFError.at(.section(".maps")) { () throws(EBPFError) in
            try readSlot(relocation, content, definitions, into: &maps, linker)
          }
        }
      }
    }
  }

  private func readSlot(
    _ relocation: ELFFile.Relocation, _ content: Bytes, _ definitions: [MapTable.Definition],
    into maps: inout MapTable, _ linker: Linker
  ) throws(EBPFError) {
    guard let definition = Self.definition(at: relocation.offset, in: definitions) else {
      throw EBPFError(
        .malformed, "a relocation is for byte \(relocation.offset), where no map is",
        context: [.offset(UInt64(clamping: content.origin))])
    }
    let type = maps.specs[definition.map].type
    try EBPFError.at(.map(maps.specs[definition.map].name)) { () throws(EBPFError) in
      guard let start = definition.slotsOffset, relocation.offset - definition.offset >= start,
        (relocation.offset - definition.offset - start) % 8 == 0,
        let slot = UInt32(exactly: (relocation.offset - definition.offset - start) / 8)
      else {
        throw EBPFError(
          .malformed, "byte \(relocation.offset - definition.offset) of the map is no initial value"
        )
      }
      let (place, symbol) = try target(
        of: relocation, in: content, "initial value \(slot)", linker)
      maps.setSlot(
        slot, of: definition.map, to: try target(at: place, for: type, linker, maps, symbol))
    }
  }

  /// Where the address points that a relocation puts into a section of data; `what` is its name in
  /// errors.
  func target(
    of relocation: ELFFile.Relocation, in content: Bytes, _ what: String, _ linker: Linker
  ) throws(EBPFError) -> (place: Place, symbol: ELFFile.Symbol) {
    guard let symbols else {
      throw EBPFError(.malformed, "there are relocations but no symbols")
    }
    let symbol = try symbols.symbol(at: Int(relocation.symbolIndex))
    guard let index = symbol.sectionIndex else {
      throw EBPFError(
        .unresolved, "\(what) is '\(linker.name(of: symbol))', defined elsewhere")
    }
    let inPlace = try content.load(
      at: Int(clamping: relocation.offset), as: Int64.self, order: elf.order)
    let distance = relocation.addend ?? inPlace
    guard let base = Int64(exactly: symbol.value),
      case (let sum, false) = base.addingReportingOverflow(distance),
      let offset = UInt64(exactly: sum)
    else { throw EBPFError(.malformed, "\(what) is outside every section") }
    return (Place(section: index, offset: offset), symbol)
  }

  /// The definition that holds a byte of the section; definitions are sorted by offset.
  private static func definition(
    at offset: UInt64, in definitions: [MapTable.Definition]
  ) -> MapTable.Definition? {
    var low = 0
    var high = definitions.count
    while low < high {
      let middle = low + (high - low) / 2
      if definitions[middle].offset <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > 0, offset - definitions[low - 1].offset < definitions[low - 1].size else {
      return nil
    }
    return definitions[low - 1]
  }

  private func target(
    at place: Place, for type: MapType, _ linker: Linker, _ maps: MapTable, _ symbol: ELFFile.Symbol
  ) throws(EBPFError) -> MapSpec.SlotTarget {
    guard type == .programArray else {
      guard let name = maps.name(at: place) else {
        throw EBPFError(
          .malformed, "an initial value is '\(linker.name(of: symbol))', which is no map")
      }
      return .map(name)
    }
    return .program(try program(at: place, symbol, "an initial value", linker))
  }

  /// The program that begins at a place; `what` says in errors who wants it.
  func program(
    at place: Place, _ symbol: ELFFile.Symbol, _ what: String, _ linker: Linker
  ) throws(EBPFError) -> String {
    guard place.offset % 8 == 0, let start = Int(exactly: place.offset / 8),
      let index = linker.code.function(at: start, inSection: place.section)
    else {
      throw EBPFError(
        .malformed, "\(what) is '\(linker.name(of: symbol))', which is no function")
    }
    let function = linker.code.functions[index]
    guard !linker.isSubprogram(function) else {
      throw EBPFError(
        .malformed, "\(what) is '\(function.name)', which is no program",
        hint: "give it a section of its own with SEC()")
    }
    return function.name
  }
}
