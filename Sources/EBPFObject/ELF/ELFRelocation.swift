extension ELFFile {
  /// One relocation of a `SHT_REL` or `SHT_RELA` section.
  public struct Relocation: Sendable, Hashable, BitwiseCopyable {
    /// The place to change: an offset in the target section, or an address in linked files.
    public let offset: UInt64
    /// The symbol's place in the symbol table; 0 for none.
    public let symbolIndex: UInt32
    /// The processor's relocation type.
    public let type: UInt32
    /// What to add to the symbol's value; nil in `SHT_REL`, where it is in the place itself.
    public let addend: Int64?
  }

  /// The relocations of a `SHT_REL` or `SHT_RELA` section, in the file's order.
  ///
  /// ``Section/info`` is the section they apply to, ``Section/link`` their symbol table.
  public func relocations(in section: Section) throws(EBPFError) -> [Relocation] {
    try EBPFError.at(.section(section.name)) { () throws(EBPFError) -> [Relocation] in
      let hasAddend = section.type == SectionType.relocationsWithAddend
      guard hasAddend || section.type == SectionType.relocations else {
        throw EBPFError(
          .invalidArgument, "the section has no relocations: its type is \(section.type)")
      }
      let word = layout.wordSize
      let size = hasAddend ? 3 * word : 2 * word
      let content = try contents(of: section)
      guard content.count == 0 || section.entrySize == UInt64(size) else {
        throw EBPFError(
          .malformed, "a relocation is \(size) bytes, but the section says \(section.entrySize)",
          context: [.offset(section.offset)],
          hint: "the section header is damaged; build or copy the file again")
      }
      var relocations: [Relocation] = []
      relocations.reserveCapacity(content.count / size)
      for index in 0..<content.count / size {
        let offset = index * size
        let info = try layout.word(content, at: offset + word)
        relocations.append(
          Relocation(
            offset: try layout.word(content, at: offset),
            symbolIndex: UInt32(truncatingIfNeeded: info >> (layout.is64Bit ? 32 : 8)),
            type: UInt32(truncatingIfNeeded: info & (layout.is64Bit ? 0xffff_ffff : 0xff)),
            addend: hasAddend ? try addend(content, at: offset + 2 * word) : nil))
      }
      return relocations
    }
  }

  private func addend(_ content: Bytes, at offset: Int) throws(EBPFError) -> Int64 {
    if layout.is64Bit { return try content.load(at: offset, order: order) }
    return Int64(try content.load(at: offset, as: Int32.self, order: order))
  }
}
