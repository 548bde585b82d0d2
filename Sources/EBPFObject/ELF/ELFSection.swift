extension ELFFile {
  /// A section header; nothing but ``name`` reads the file again.
  public struct Section: Sendable {
    /// Its place in ``ELFFile/sections``.
    public let index: Int
    /// Where its name begins in the section names' table.
    public let nameOffset: UInt32
    /// The kind of content, see ``SectionType``.
    public let type: UInt32
    /// Attributes, see ``SectionFlag``.
    public let flags: UInt64
    /// The address at run time; 0 when it has none.
    public let address: UInt64
    /// Where the content begins in the file.
    public let offset: UInt64
    /// The size of the content; of `SHT_NOBITS`, in memory only.
    public let size: UInt64
    /// A section this one depends on: a symbol table's strings, a relocation section's symbols.
    public let link: UInt32
    /// A second reference: the section that relocations apply to, the first non-local symbol.
    public let info: UInt32
    /// The required alignment; 0 and 1 mean none.
    public let alignment: UInt64
    /// The size of an entry; 0 when the content is no table.
    public let entrySize: UInt64
    private let names: Bytes

    init(
      _ bytes: Bytes, at offset: Int, layout: ELFLayout, index: Int, names: Bytes
    ) throws(EBPFError) {
      let word = layout.wordSize
      let order = layout.order
      self.index = index
      self.names = names
      nameOffset = try bytes.load(at: offset, order: order)
      type = try bytes.load(at: offset + 4, order: order)
      flags = try layout.word(bytes, at: offset + 8)
      address = try layout.word(bytes, at: offset + 8 + word)
      self.offset = try layout.word(bytes, at: offset + 8 + 2 * word)
      size = try layout.word(bytes, at: offset + 8 + 3 * word)
      link = try bytes.load(at: offset + 8 + 4 * word, order: order)
      info = try bytes.load(at: offset + 12 + 4 * word, order: order)
      alignment = try layout.word(bytes, at: offset + 16 + 4 * word)
      entrySize = try layout.word(bytes, at: offset + 16 + 5 * word)
    }

    /// The name; empty when the file gives none that can be read, which ``ELFFile/anomalies()``
    /// reports.
    public var name: String { readableName ?? "" }

    /// The name, or nil when it begins outside the table or does not end in it, or not within 4096
    /// bytes: a million headers may share one endless name.
    var readableName: String? {
      guard let length = names.distanceToZero(from: Int(nameOffset), limit: Self.longestName),
        let name = names.part(at: Int(nameOffset), count: length)
      else { return nil }
      return name.text
    }

    /// True when ``readableName`` is not nil.
    var hasReadableName: Bool {
      names.distanceToZero(from: Int(nameOffset), limit: Self.longestName) != nil
    }

    private static let longestName = 4096

    /// True when the bytes in the file begin with a compression header (`SHF_COMPRESSED`).
    public var isCompressed: Bool { flags & SectionFlag.compressed != 0 }

    /// True when the section holds instructions (`SHF_EXECINSTR`).
    public var isExecutable: Bool { flags & SectionFlag.executable != 0 }
  }
}

/// Sections by name: a sorted array of (hash, index), so that no name is copied.
struct SectionNameIndex: Sendable {
  private let entries: [UInt64]
  private let names: Bytes

  /// Hashes at most this much of a name, so that many headers sharing one endless name cost no time.
  private static let hashedLength = 64

  init(_ sections: [ELFFile.Section], names: Bytes) {
    self.names = names
    let span = names.span
    var entries: [UInt64] = []
    entries.reserveCapacity(sections.count)
    for section in sections where Int(section.nameOffset) < span.byteCount {
      let start = Int(section.nameOffset)
      var hash: UInt32 = 2_166_136_261
      for offset in start..<min(span.byteCount, start + Self.hashedLength) {
        let byte = span.byte(at: offset)
        if byte == 0 { break }
        hash = (hash ^ UInt32(byte)) &* 16_777_619
      }
      entries.append(UInt64(hash) << 32 | UInt64(UInt32(truncatingIfNeeded: section.index)))
    }
    entries.sort()
    self.entries = entries
  }

  func first(_ name: String, in sections: [ELFFile.Section]) -> ELFFile.Section? {
    var hash: UInt32 = 2_166_136_261
    for byte in name.utf8.prefix(Self.hashedLength) {
      hash = (hash ^ UInt32(byte)) &* 16_777_619
    }
    var low = 0
    var high = entries.count
    while low < high {
      let middle = low + (high - low) / 2
      if UInt32(entries[middle] >> 32) < hash { low = middle + 1 } else { high = middle }
    }
    while low < entries.count, UInt32(entries[low] >> 32) == hash {
      let section = sections[Int(UInt32(truncatingIfNeeded: entries[low]))]
      if names.holds(name, at: Int(section.nameOffset)) { return section }
      low += 1
    }
    return nil
  }
}

extension Bytes {
  /// The number of bytes before the next zero byte, or nil when there is none within `limit`.
  func distanceToZero(from offset: Int, limit: Int) -> Int? {
    guard offset >= 0, offset < count else { return nil }
    let span = span
    let end = count - offset > limit ? offset + limit : count
    for position in offset..<end where span.byte(at: position) == 0 { return position - offset }
    return nil
  }

  /// True when `text` and then a zero byte, or the byte `stop`, are at `offset`.
  func holds(_ text: String, at offset: Int, before stop: UInt8 = 0) -> Bool {
    guard offset >= 0, offset < count else { return false }
    let span = span
    var position = offset
    for byte in text.utf8 {
      guard position < count, byte != 0, span.byte(at: position) == byte else { return false }
      position += 1
    }
    guard position < count else { return false }
    let next = span.byte(at: position)
    return next == 0 || next == stop
  }
}
