/// The symbols of one symbol table section, read in place.
///
/// Nothing is copied and nothing is checked ahead: an index costs one checked load. To go through
/// all of them use ``forEachSymbol(_:)``, which allocates nothing.
public struct SymbolTable: Sendable {
  /// The section these symbols are from.
  public let section: ELFFile.Section
  /// The number of symbols, with the empty one at index 0.
  public let count: Int
  @usableFromInline let bytes: Bytes
  @usableFromInline let strings: Bytes
  @usableFromInline let extended: Bytes?
  @usableFromInline let is64Bit: Bool
  @usableFromInline let order: ByteOrder

  init(
    section: ELFFile.Section, bytes: Bytes, strings: Bytes, extended: Bytes?, layout: ELFLayout
  ) {
    self.section = section
    self.bytes = bytes
    self.strings = strings
    self.extended = extended
    is64Bit = layout.is64Bit
    order = layout.order
    count = bytes.count / layout.symbolSize
  }

  /// The symbol at `index`.
  public func symbol(at index: Int) throws(EBPFError) -> ELFFile.Symbol {
    guard index >= 0, index < count, let symbol = read(bytes.span, index) else {
      throw EBPFError(
        .malformed, "a reference to symbol \(index), but the table has \(count)",
        context: [.section(section.name), .offset(section.offset)],
        hint: "the file is damaged; build or copy it again")
    }
    return symbol
  }

  /// A symbol's name; ill-formed UTF-8 is shown as U+FFFD.
  public func name(of symbol: ELFFile.Symbol) throws(EBPFError) -> String {
    try name(atOffset: symbol.nameOffset)
  }

  /// The name that begins at an offset of the table's strings.
  public func name(atOffset offset: UInt32) throws(EBPFError) -> String {
    if offset == 0 { return "" }
    guard let length = strings.distanceToZero(from: Int(offset), limit: Self.longestName) else {
      throw EBPFError(
        .malformed,
        "a symbol's name begins at \(offset) of \(strings.count) bytes of names and does not end "
          + "within \(Self.longestName)",
        context: [.section(section.name), .offset(section.offset)],
        hint: "the file is damaged; build or copy it again")
    }
    return try strings.slice(at: Int(offset), count: length).text
  }

  /// The longest name that is read; the longest found in practice is a tenth of it. Without a limit,
  /// all symbols of a damaged file could share one endless name.
  private static let longestName = 16_384

  /// True when a symbol's name is `name`, without making a string.
  public func isNamed(_ symbol: ELFFile.Symbol, _ name: String) -> Bool {
    strings.holds(name, at: Int(symbol.nameOffset))
  }

  /// The bytes that names are offsets into.
  public var nameBytes: Bytes { strings }

  /// Calls `body` with every symbol in order of index.
  @inlinable
  public func forEachSymbol<Failure: Error>(
    _ body: (ELFFile.Symbol) throws(Failure) -> Void
  ) throws(Failure) {
    let span = bytes.span
    for index in 0..<count {
      guard let symbol = read(span, index) else { return }
      try body(symbol)
    }
  }

  @usableFromInline
  func read(_ span: RawSpan, _ index: Int) -> ELFFile.Symbol? {
    let offset = index * (is64Bit ? 24 : 16)
    // In a 32-bit symbol value and size come before info, other and section.
    let details = is64Bit ? offset + 4 : offset + 12
    guard let name: UInt32 = span.integer(at: offset, order: order),
      let info: UInt8 = span.integer(at: details),
      let other: UInt8 = span.integer(at: details + 1),
      let place: UInt16 = span.integer(at: details + 2, order: order)
    else { return nil }
    var value: UInt64 = 0
    var size: UInt64 = 0
    if is64Bit {
      value = span.integer(at: offset + 8, order: order) ?? 0
      size = span.integer(at: offset + 16, order: order) ?? 0
    } else {
      value = UInt64(span.integer(at: offset + 4, as: UInt32.self, order: order) ?? 0)
      size = UInt64(span.integer(at: offset + 8, as: UInt32.self, order: order) ?? 0)
    }
    return ELFFile.Symbol(
      index: index, nameOffset: name, info: info, other: other, rawSectionIndex: place,
      extendedSectionIndex: place == 0xffff ? extendedIndex(index) : 0, value: value, size: size)
  }

  private func extendedIndex(_ index: Int) -> UInt32 {
    extended?.span.integer(at: index * 4, order: order) ?? 0
  }
}

extension ELFFile {
  /// The symbols of a `SHT_SYMTAB` or `SHT_DYNSYM` section.
  public func symbols(in section: Section) throws(EBPFError) -> SymbolTable {
    try EBPFError.at(.section(section.name)) { () throws(EBPFError) -> SymbolTable in
      guard section.type == SectionType.symbolTable || section.type == SectionType.dynamicSymbols
      else {
        throw EBPFError(
          .invalidArgument, "the section is no symbol table: its type is \(section.type)")
      }
      let content = try contents(of: section)
      if section.type != SectionType.noBits, content.count > 0 {
        guard section.entrySize == UInt64(layout.symbolSize) else {
          throw EBPFError(
            .malformed,
            "a symbol is \(layout.symbolSize) bytes, but the section says \(section.entrySize)",
            context: [.offset(section.offset)],
            hint: "the section header is damaged; build or copy the file again")
        }
      }
      let strings = try contents(of: try self.section(at: Int(section.link)))
      var extended: Bytes?
      for other in sections
      where other.type == SectionType.extendedSectionIndexes && other.link == section.index {
        extended = try contents(of: other)
      }
      return SymbolTable(
        section: section, bytes: content, strings: strings, extended: extended, layout: layout)
    }
  }

  /// The full symbol table (`.symtab`); nil in a stripped file.
  public var symbolTable: SymbolTable? {
    get throws(EBPFError) {
      guard let section = section(ofType: SectionType.symbolTable) else { return nil }
      return try symbols(in: section)
    }
  }

  /// The symbols for dynamic linking (`.dynsym`); nil in a static executable.
  public var dynamicSymbolTable: SymbolTable? {
    get throws(EBPFError) {
      guard let section = section(ofType: SectionType.dynamicSymbols) else { return nil }
      return try symbols(in: section)
    }
  }
}
