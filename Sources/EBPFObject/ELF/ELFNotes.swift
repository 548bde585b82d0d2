extension ELFFile {
  /// One note: a small record with an owner.
  public struct Note: Sendable {
    /// The owner's number for this kind of note.
    public let type: UInt32
    /// The content, sharing the file's memory.
    public let description: Bytes
    let ownerBytes: Bytes

    /// Who defined the note: `GNU`, `stapsdt`, `Go`.
    public var owner: String { ownerBytes.text }

    var isBuildID: Bool { type == 3 && ownerBytes.holds("GNU") }
  }

  /// Every note of the file: of the note sections or, without any, of the note segments.
  public func notes() throws(EBPFError) -> [Note] {
    var notes: [Note] = []
    try forEachNote { (note) throws(EBPFError) in notes.append(note) }
    return notes
  }

  /// The notes of one `SHT_NOTE` section.
  public func notes(in section: Section) throws(EBPFError) -> [Note] {
    var notes: [Note] = []
    try forEachNote(in: section) { (note) throws(EBPFError) in notes.append(note) }
    return notes
  }

  /// The GNU build id, in lower-case hexadecimal: what ties an executable to its debug file.
  ///
  /// Nil when the file has none.
  public var buildID: String? {
    get throws(EBPFError) {
      var found: Bytes?
      try forEachNote { (note) throws(EBPFError) in
        if found == nil, note.isBuildID { found = note.description }
      }
      guard let found, found.count > 0 else { return nil }
      return found.hexadecimal
    }
  }

  /// What the Go linker tells builds apart by; nil when another linker made the file.
  public var goBuildID: String? {
    get throws(EBPFError) {
      var found: Bytes?
      try forEachNote { (note) throws(EBPFError) in
        if found == nil, note.type == 4, note.ownerBytes.holds("Go") { found = note.description }
      }
      guard let found, found.count > 0 else { return nil }
      return found.text
    }
  }

  /// The GNU build id among notes of this machine that are in no ELF file, as the kernel shows its own;
  /// nil when there is none.
  public static func buildID(inNotes content: Bytes) throws(EBPFError) -> String? {
    var found: Bytes?
    try forEachNote(in: content, alignment: 4, order: .host) { (note) throws(EBPFError) in
      if found == nil, note.isBuildID { found = note.description }
    }
    return found?.hexadecimal
  }

  /// Calls `body` with every note, in the file's order.
  func forEachNote(_ body: (Note) throws(EBPFError) -> Void) throws(EBPFError) {
    var hasSections = false
    for section in sections where section.type == SectionType.note {
      hasSections = true
      try forEachNote(in: section, body)
    }
    if hasSections { return }
    for segment in segments where segment.type == SegmentType.note {
      try ELFFile.forEachNote(
        in: try contents(of: segment), alignment: segment.alignment, order: order, body)
    }
  }

  private func forEachNote(
    in section: Section, _ body: (Note) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    try EBPFError.at(.section(section.name)) { () throws(EBPFError) in
      try ELFFile.forEachNote(
        in: try contents(of: section), alignment: section.alignment, order: order, body)
    }
  }

  private static func forEachNote(
    in content: Bytes, alignment: UInt64, order: ByteOrder,
    _ body: (Note) throws(EBPFError) -> Void
  ) throws(EBPFError) {
    // gABI says 8 for 64-bit files, practice says 4 except where the alignment itself is 8.
    let unit: UInt64 = alignment == 8 ? 8 : 4
    let end = UInt64(content.count)
    var offset: UInt64 = 0
    // Fewer bytes than a header are padding.
    while offset + 12 <= end {
      let start = Int(offset)
      let nameSize: UInt32 = try content.load(at: start, order: order)
      let descriptionSize: UInt32 = try content.load(at: start + 4, order: order)
      let type: UInt32 = try content.load(at: start + 8, order: order)
      // Sums of a file offset and two 32-bit numbers: nothing here can overflow 64 bits.
      let description = (offset + 12 + UInt64(nameSize)).roundedUp(to: unit)
      guard description + UInt64(descriptionSize) <= end else {
        throw EBPFError(
          .malformed,
          "a note has a name of \(nameSize) bytes and a content of \(descriptionSize), but only "
            + "\(end - offset - 12) bytes follow",
          context: [.offset(UInt64(content.origin) + offset)],
          hint: "the file is damaged; build or copy it again")
      }
      let name = try content.slice(at: offset + 12, count: UInt64(nameSize))
      try body(
        Note(
          type: type,
          description: try content.slice(at: description, count: UInt64(descriptionSize)),
          ownerBytes: try name.slice(
            at: 0, count: name.distanceToZero(from: 0) ?? name.count)))
      offset = (description + UInt64(descriptionSize)).roundedUp(to: unit)
    }
  }
}

extension UInt64 {
  /// The next multiple of a power of two; the caller knows that it exists.
  func roundedUp(to unit: UInt64) -> UInt64 { (self + unit - 1) & ~(unit - 1) }
}

extension Bytes {
  /// Two lower-case digits a byte.
  package var hexadecimal: String {
    var text: [UInt8] = []
    text.reserveCapacity(2 * count)
    let span = span
    let digits = Array("0123456789abcdef".utf8)
    for index in 0..<count {
      let byte = span.byte(at: index)
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 0xf)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// True when these bytes are exactly `text`.
  func holds(_ text: String) -> Bool {
    var index = 0
    for byte in text.utf8 {
      guard index < count, span.byte(at: index) == byte else { return false }
      index += 1
    }
    return index == count
  }
}
