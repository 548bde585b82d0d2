/// An ELF file, read in place: BPF objects, executables, libraries, debug files, the vdso.
///
/// 32- and 64-bit files of either byte order. Opening reads the header and the two header tables,
/// and nothing else; names, symbols and contents are read when they are asked for. What libelf
/// accepts is accepted; oddities that do not stop a reader are listed by ``anomalies()``.
public struct ELFFile: Sendable {
  /// The whole file.
  public let bytes: Bytes
  /// The section headers, including the unused one at index 0.
  public let sections: [Section]
  /// The program headers.
  public let segments: [Segment]
  /// True for a file with 64-bit addresses.
  public var is64Bit: Bool { layout.is64Bit }
  /// The byte order of every integer in the file.
  public var order: ByteOrder { layout.order }
  /// The kind of file, see ``FileType``.
  public let type: UInt16
  /// The processor, see ``Machine``.
  public let machine: UInt16
  /// Processor-specific flags.
  public let flags: UInt32
  /// The address at which an executable begins.
  public let entry: UInt64
  /// Word size and byte order.
  let layout: ELFLayout
  /// The index of the section that holds the sections' names; 0 for none.
  let nameSectionIndex: UInt32
  private let names: SectionNameIndex

  /// Reads the headers of an ELF file.
  ///
  /// Throws `malformed` when the bytes are no ELF file, or a header table lies outside them.
  public init(_ bytes: Bytes) throws(EBPFError) {
    let header = try ELFHeader(bytes)
    self.bytes = bytes
    layout = header.layout
    type = header.type
    machine = header.machine
    flags = header.flags
    entry = header.entry
    nameSectionIndex = header.nameSectionIndex

    var segments: [Segment] = []
    segments.reserveCapacity(header.segmentTable.count)
    for index in 0..<header.segmentTable.count {
      let offset = header.segmentTable.offset(of: index)
      segments.append(try Segment(bytes, at: offset, layout: header.layout))
    }
    self.segments = segments

    let table = header.sectionTable
    let strings = try Self.sectionNames(bytes, header: header)
    var sections: [Section] = []
    sections.reserveCapacity(table.count)
    for index in 0..<table.count {
      let offset = table.offset(of: index)
      sections.append(
        try Section(bytes, at: offset, layout: header.layout, index: index, names: strings))
    }
    self.sections = sections
    names = SectionNameIndex(sections, names: strings)
  }

  /// The bytes of the section names' table; empty when the file names none or an unusable one, which
  /// ``anomalies()`` reports.
  private static func sectionNames(_ bytes: Bytes, header: ELFHeader) throws(EBPFError) -> Bytes {
    let table = header.sectionTable
    let index = Int(header.nameSectionIndex)
    guard index > 0, index < table.count else { return Bytes([]) }
    let section = try Section(
      bytes, at: table.offset(of: index), layout: header.layout, index: index, names: Bytes([]))
    guard section.type != SectionType.noBits,
      case (let end, false) = section.offset.addingReportingOverflow(section.size),
      end <= UInt64(bytes.count)
    else { return Bytes([]) }
    return try bytes.slice(at: section.offset, count: section.size)
  }

  /// The first section of that name.
  public func section(named name: String) -> Section? {
    names.first(name, in: sections)
  }

  /// The section at `index`, as symbols and headers refer to it.
  public func section(at index: Int) throws(EBPFError) -> Section {
    guard index >= 0, index < sections.count else {
      throw EBPFError(
        .malformed, "a reference to section \(index), but the file has \(sections.count) sections",
        hint: "the file is damaged; build or copy it again")
    }
    return sections[index]
  }

  /// The first section of a type.
  public func section(ofType type: UInt32) -> Section? {
    sections.first { $0.type == type }
  }

  /// The bytes of a section as they are in the file, sharing its memory; empty for `SHT_NOBITS`.
  ///
  /// Throws `unsupported` for a compressed section: see ``contents(of:using:)``.
  public func contents(of section: Section) throws(EBPFError) -> Bytes {
    if section.isCompressed {
      throw EBPFError(
        .unsupported, "the section is compressed, and nothing to expand it with was given",
        context: [.section(section.name), .offset(section.offset)],
        hint: "objcopy --decompress-debug-sections makes a file without compression")
    }
    return try rawContents(of: section)
  }

  /// The bytes of a section without expanding a compressed one.
  func rawContents(of section: Section) throws(EBPFError) -> Bytes {
    guard section.type != SectionType.noBits, section.type != SectionType.null else {
      return try bytes.slice(at: 0, count: 0)
    }
    return try EBPFError.at(.section(section.name)) { () throws(EBPFError) -> Bytes in
      try bytes.slice(at: section.offset, count: section.size)
    }
  }

  /// The bytes of a segment in the file, sharing its memory.
  public func contents(of segment: Segment) throws(EBPFError) -> Bytes {
    try bytes.slice(at: segment.offset, count: segment.fileSize)
  }
}
