extension ELFFile {
  /// What is odd about the file's headers without stopping a reader: for a report, in file order.
  ///
  /// At most 64 are listed; the last then says how many there are.
  public func anomalies() -> [EBPFError] {
    var list = AnomalyList()
    if !sections.isEmpty { checkNames(&list) }
    for section in sections.dropFirst() { check(section, &list) }
    checkOverlaps(&list)
    for segment in segments { check(segment, &list) }
    return list.finished
  }

  private func checkNames(_ list: inout AnomalyList) {
    let index = Int(nameSectionIndex)
    guard index < sections.count else {
      list.add(
        "the section names are in section \(index), but there are \(sections.count) sections",
        hint: "sections can be found by index only")
      return
    }
    if index != 0, sections[index].type != SectionType.stringTable {
      list.add(
        "the section names are in section \(index), which is no string table",
        hint: "sections can be found by index only")
    }
  }

  private func check(_ section: Section, _ list: inout AnomalyList) {
    var places: [EBPFError.Context] {
      [.section(section.readableName ?? "#\(section.index)"), .offset(section.offset)]
    }
    if !section.hasReadableName, nameSectionIndex != 0 {
      list.add("the section's name is outside the section names", at: places)
    }
    if section.type != SectionType.noBits, section.type != SectionType.null,
      !bytes.holds(section.offset, section.size)
    {
      list.add(
        "the section's \(section.size) bytes end after the file's \(bytes.count)", at: places,
        hint: "the file may have been copied only in part")
    }
    if section.alignment & (section.alignment &- 1) != 0, section.alignment != 0 {
      list.add("the section's alignment \(section.alignment) is no power of two", at: places)
    }
    if Int(section.link) >= sections.count {
      list.add(
        "the section refers to section \(section.link), but there are \(sections.count)",
        at: places)
    }
    if section.entrySize > 1, section.size % section.entrySize != 0,
      SectionType.tables.contains(section.type)
    {
      list.add(
        "the section's \(section.size) bytes are no multiple of its entries' \(section.entrySize)",
        at: places)
    }
  }

  /// Two sections that share bytes of the file: a linker never makes them.
  private func checkOverlaps(_ list: inout AnomalyList) {
    var extents: [Extent] = []
    extents.reserveCapacity(sections.count)
    for section in sections
    where section.type != SectionType.noBits && section.type != SectionType.null
      && section.size > 0 && bytes.holds(section.offset, section.size)
    {
      // `holds` has checked the sum.
      extents.append(
        Extent(
          start: section.offset, end: section.offset + section.size, index: section.index))
    }
    extents.sort { ($0.start, $0.index) < ($1.start, $1.index) }
    guard var widest = extents.first else { return }
    for extent in extents.dropFirst() {
      if extent.start < widest.end {
        let section = sections[extent.index]
        list.add(
          "the section shares bytes with section '\(sections[widest.index].name)'",
          at: [.section(section.name), .offset(section.offset)],
          hint: "the section headers are damaged, or made to confuse")
      }
      if extent.end > widest.end { widest = extent }
    }
  }

  /// Where a section's content is in the file.
  private struct Extent {
    let start: UInt64
    let end: UInt64
    let index: Int
  }

  private func check(_ segment: Segment, _ list: inout AnomalyList) {
    if segment.fileSize > 0, !bytes.holds(segment.offset, segment.fileSize) {
      list.add(
        "a segment's \(segment.fileSize) bytes end after the file's \(bytes.count)",
        at: [.offset(segment.offset)], hint: "a debug file has such segments by design")
    }
    if segment.type == SegmentType.load, segment.fileSize > segment.memorySize {
      list.add(
        "a segment has \(segment.fileSize) bytes in the file but \(segment.memorySize) in memory",
        at: [.offset(segment.offset)])
    }
  }
}

extension ELFFile.SectionType {
  /// The types whose content is a table of equal entries.
  fileprivate static let tables = [
    symbolTable, dynamicSymbols, relocations, relocationsWithAddend,
  ]
}

extension Bytes {
  /// True when `size` bytes exist from `offset`.
  fileprivate func holds(_ offset: UInt64, _ size: UInt64) -> Bool {
    let (end, overflow) = offset.addingReportingOverflow(size)
    return !overflow && end <= UInt64(count)
  }
}

/// Anomalies up to a limit, so that a file of a million broken headers makes no million messages.
private struct AnomalyList {
  private static let limit = 64
  private var errors: [EBPFError] = []
  private var count = 0

  mutating func add(
    _ message: @autoclosure () -> String, at places: @autoclosure () -> [EBPFError.Context] = [],
    hint: String? = nil
  ) {
    count += 1
    guard errors.count < Self.limit - 1 else { return }
    errors.append(EBPFError(.malformed, message(), context: places(), hint: hint))
  }

  var finished: [EBPFError] {
    guard count > errors.count else { return errors }
    return errors + [
      EBPFError(.malformed, "the headers have \(count) anomalies; the first are listed")
    ]
  }
}
