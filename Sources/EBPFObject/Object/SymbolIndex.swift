/// A place in the file: an offset in a section.
struct Place: Hashable {
  var section: Int
  var offset: UInt64
}

/// The symbols that matter to a BPF object, sorted out in one pass.
struct SymbolIndex {
  /// A symbol with its name.
  struct Entry {
    let symbol: ELFFile.Symbol
    let name: String
    var place: Place { Place(section: symbol.sectionIndex ?? 0, offset: symbol.value) }
  }

  /// Functions in executable sections, in the file's order.
  var functions: [Entry] = []
  /// Undefined global and weak symbols.
  var externs: [Entry] = []
  /// Named variables of writable and read-only sections, of `.maps` and of `maps`.
  var objects: [Entry] = []
  /// The offset of each of them, by section and name.
  var offsets: [Int: [String: UInt64]] = [:]

  init(_ parser: ObjectParser, _ findings: inout ObjectFindings) throws(EBPFError) {
    guard let table = parser.symbols else { return }
    let sections = parser.elf.sections
    for index in 1..<max(1, table.count) {
      let symbol = try table.symbol(at: index)
      guard let kind = Self.kind(of: symbol, sections) else { continue }
      let entry = try findings.attempt { () throws(EBPFError) in
        Entry(
          symbol: symbol,
          name: symbol.nameOffset == 0 ? "" : try table.nameBytes.name(at: Int(symbol.nameOffset)))
      }
      guard let entry, !entry.name.isEmpty else { continue }
      switch kind {
      case .function: functions.append(entry)
      case .extern: externs.append(entry)
      case .object:
        objects.append(entry)
        offsets[entry.place.section, default: [:]][entry.name] = symbol.value
      }
    }
  }

  private enum Kind { case function, extern, object }

  private static func kind(of symbol: ELFFile.Symbol, _ sections: [ELFFile.Section]) -> Kind? {
    if symbol.isUndefined {
      return symbol.binding != ELFFile.SymbolBinding.local
        && symbol.type == ELFFile.SymbolType.none ? .extern : nil
    }
    guard let index = symbol.sectionIndex, index < sections.count else { return nil }
    let section = sections[index]
    if section.isExecutable { return symbol.type == ELFFile.SymbolType.function ? .function : nil }
    let isVariable =
      symbol.type == ELFFile.SymbolType.object
      || (symbol.type == ELFFile.SymbolType.none && symbol.binding != ELFFile.SymbolBinding.local)
    return section.flags & ELFFile.SectionFlag.allocate != 0 && isVariable ? .object : nil
  }
}
