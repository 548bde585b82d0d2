extension ELFFile {
  /// What the dynamic linker is told: the file's own name and the libraries it needs.
  public struct DynamicInformation: Sendable, Hashable {
    /// The library's name (`DT_SONAME`); nil for an executable.
    public var soname: String?
    /// The names of the libraries it needs (`DT_NEEDED`), in order.
    public var needed: [String] = []
  }

  /// The path of the program interpreter (`PT_INTERP`): the dynamic linker. Nil for none.
  public var interpreter: String? {
    get throws(EBPFError) {
      guard let segment = segments.first(where: { $0.type == SegmentType.interpreter }) else {
        return nil
      }
      return try contents(of: segment).string(at: 0)
    }
  }

  /// The dynamic linking information; nil in a static executable, an object or a debug file.
  public func dynamicInformation() throws(EBPFError) -> DynamicInformation? {
    guard let (entries, strings) = try dynamicEntries() else { return nil }
    var information = DynamicInformation()
    // Names may overlap each other, so their sum is capped by the file's own size.
    var budget = bytes.count
    for (tag, value) in entries where tag == DynamicTag.needed || tag == DynamicTag.soname {
      let text = try strings.string(at: Int(clamping: value))
      budget -= text.utf8.count
      guard budget >= 0 else {
        throw EBPFError(
          .malformed, "the names of needed libraries are larger than the file",
          context: [.section(".dynamic")], hint: "the file is damaged")
      }
      if tag == DynamicTag.needed {
        information.needed.append(text)
      } else {
        information.soname = text
      }
    }
    return information
  }

  private enum DynamicTag {
    static let end: UInt64 = 0
    static let needed: UInt64 = 1
    static let stringTable: UInt64 = 5
    static let stringTableSize: UInt64 = 10
    static let soname: UInt64 = 14
  }

  private func dynamicEntries() throws(EBPFError) -> ([(UInt64, UInt64)], Bytes)? {
    if let section = section(ofType: SectionType.dynamic) {
      let entries = try dynamicEntries(try contents(of: section))
      return (entries, try contents(of: try self.section(at: Int(section.link))))
    }
    guard let segment = segments.first(where: { $0.type == SegmentType.dynamic }),
      segment.fileSize > 0
    else { return nil }
    let entries = try dynamicEntries(try contents(of: segment))
    guard let address = entries.first(where: { $0.0 == DynamicTag.stringTable })?.1,
      let size = entries.first(where: { $0.0 == DynamicTag.stringTableSize })?.1,
      let offset = fileOffset(ofAddress: address, executable: false)
    else {
      throw EBPFError(
        .malformed, "the dynamic segment does not say where its names are",
        context: [.offset(segment.offset)], hint: "the file is damaged")
    }
    return (entries, try bytes.slice(at: offset, count: size))
  }

  private func dynamicEntries(_ content: Bytes) throws(EBPFError) -> [(UInt64, UInt64)] {
    let word = layout.wordSize
    var entries: [(UInt64, UInt64)] = []
    for index in 0..<content.count / (2 * word) {
      let tag = try layout.word(content, at: index * 2 * word)
      if tag == DynamicTag.end { break }
      entries.append((tag, try layout.word(content, at: index * 2 * word + word)))
    }
    return entries
  }
}
