/// The versions of a file's dynamic symbols (`.gnu.version`, `.gnu.version_d`, `.gnu.version_r`).
public struct SymbolVersions: Sendable {
  /// The version of one symbol.
  public struct Version: Sendable, Hashable {
    /// The version's name, `GLIBC_2.34`.
    public var name: String
    /// True for the version that a plain name means: `name@@VERSION`. False for an older one that is
    /// kept, and for a symbol that is needed from elsewhere: `name@VERSION`.
    public var isDefault: Bool
  }

  private struct Entry {
    var nameOffset: UInt32
    var isDefined: Bool
    var strings: Bytes
  }

  private let indexes: Bytes
  private let order: ByteOrder
  private var entries: [UInt16: Entry] = [:]

  /// The version of the dynamic symbol at `index`; nil for an unversioned one.
  public func version(ofSymbolAt index: Int) throws(EBPFError) -> Version? {
    guard index >= 0, index < indexes.count / 2 else { return nil }
    let raw: UInt16 = try indexes.load(at: index * 2, order: order)
    guard let entry = entries[raw & 0x7fff], raw & 0x7fff > 1 else { return nil }
    let start = Int(entry.nameOffset)
    guard let length = entry.strings.distanceToZero(from: start, limit: 1024) else {
      throw EBPFError(
        .malformed,
        "a version's name begins at \(start) of \(entry.strings.count) bytes of names and does not "
          + "end within 1024",
        context: [.section(".gnu.version")], hint: "the file is damaged; build or copy it again")
    }
    return Version(
      name: try entry.strings.slice(at: start, count: length).text,
      isDefault: entry.isDefined && raw & 0x8000 == 0)
  }

  /// Reads the version tables of a file; nil when it has none.
  init?(_ file: ELFFile) throws(EBPFError) {
    guard let section = file.section(ofType: ELFFile.SectionType.versionSymbols) else {
      return nil
    }
    indexes = try file.contents(of: section)
    order = file.order
    for section in file.sections {
      try EBPFError.at(.section(section.name)) { () throws(EBPFError) in
        if section.type == ELFFile.SectionType.versionDefinitions {
          try readDefinitions(file, section)
        } else if section.type == ELFFile.SectionType.versionNeeds {
          try readNeeds(file, section)
        }
      }
    }
  }

  /// `Elf_Verdef` records: version, flags, index, count (16 bits each), hash, aux, next. The first
  /// `Elf_Verdaux` of each, a name offset and a next, names the version.
  private mutating func readDefinitions(
    _ file: ELFFile, _ section: ELFFile.Section
  ) throws(EBPFError) {
    let content = try file.contents(of: section)
    let strings = try file.contents(of: try file.section(at: Int(section.link)))
    var offset: UInt64 = 0
    while true {
      let record = try content.slice(at: offset, count: 20)
      let index: UInt16 = try record.load(at: 4, order: order)
      let auxiliary: UInt32 = try record.load(at: 12, order: order)
      let next: UInt32 = try record.load(at: 16, order: order)
      // An offset inside the section plus 32 bits does not overflow, and `next` only goes forward.
      let name = try content.slice(at: offset + UInt64(auxiliary), count: 8)
      entries[index & 0x7fff] = Entry(
        nameOffset: try name.load(at: 0, order: order), isDefined: true, strings: strings)
      if next == 0 { return }
      offset += UInt64(next)
    }
  }

  /// `Elf_Verneed` records: version, count, file, aux, next; each with a list of `Elf_Vernaux`: hash,
  /// flags, index, name, next.
  private mutating func readNeeds(
    _ file: ELFFile, _ section: ELFFile.Section
  ) throws(EBPFError) {
    let content = try file.contents(of: section)
    let strings = try file.contents(of: try file.section(at: Int(section.link)))
    // Lists of different records may share entries in a damaged file; the sum is capped.
    var budget = content.count / 16
    var offset: UInt64 = 0
    while true {
      let record = try content.slice(at: offset, count: 16)
      var position = offset + UInt64(try record.load(at: 8, as: UInt32.self, order: order))
      while true {
        let entry = try content.slice(at: position, count: 16)
        let index: UInt16 = try entry.load(at: 6, order: order)
        let next: UInt32 = try entry.load(at: 12, order: order)
        entries[index & 0x7fff] = Entry(
          nameOffset: try entry.load(at: 8, order: order), isDefined: false, strings: strings)
        budget -= 1
        guard budget >= 0 else {
          throw EBPFError(
            .malformed, "the lists of needed versions run into each other",
            context: [.offset(section.offset)],
            hint: "the file is damaged; build or copy it again")
        }
        if next == 0 { break }
        position += UInt64(next)
      }
      let next: UInt32 = try record.load(at: 12, order: order)
      if next == 0 { return }
      offset += UInt64(next)
    }
  }
}

extension ELFFile {
  /// The versions of the dynamic symbols; nil when the file has none.
  public var symbolVersions: SymbolVersions? {
    get throws(EBPFError) { try SymbolVersions(self) }
  }
}
