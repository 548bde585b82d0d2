/// Maps declared as `struct bpf_map_def` in a section `maps` or `maps/NAME`, as before BTF.
///
/// The struct has five words and, after them, iproute2's four: id, pinning, inner id, inner index.
extension ObjectParser {
  /// Words of one definition; what the struct is too short for is 0.
  private struct Words {
    let map: MapSpec
    let id: UInt32
    let innerID: UInt32
  }

  func readLegacyMaps(
    into maps: inout MapTable, _ symbols: SymbolIndex, _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    let sections = elf.sections.filter {
      let name = sectionNames[$0.index]
      return (name == "maps" || name.hasPrefix("maps/")) && $0.size > 0
        && $0.type == ELFFile.SectionType.programBits
    }
    guard !sections.isEmpty else { return }
    let first = maps.specs.count
    let bySection = Dictionary(grouping: symbols.objects) { $0.place.section }
    var byID: [UInt32: Int] = [:]
    var wanted: [(map: Int, id: UInt32)] = []
    for section in sections {
      let name = sectionNames[section.index]
      let content = try findings.attempt { () throws(EBPFError) in try contents(of: section) }
      guard let content else { continue }
      let entries = (bySection[section.index] ?? []).sorted { $0.symbol.value < $1.symbol.value }
      if entries.isEmpty {
        try findings.fail(
          EBPFError(
            .malformed, "the section holds maps, but no symbol names them",
            context: [.section(name), .offset(section.offset)],
            hint: "the object was stripped of its symbols; do not run strip on it"))
      }
      for (index, entry) in entries.enumerated() {
        let end = index + 1 < entries.count ? entries[index + 1].symbol.value : section.size
        let words = try findings.attempt { () throws(EBPFError) in
          try EBPFError.at(.section(name)) { () throws(EBPFError) in
            try EBPFError.at(.map(entry.name)) { () throws(EBPFError) in
              try readLegacyMap(entry, until: end, of: content, section: name)
            }
          }
        }
        guard let words else { continue }
        if words.id != 0 { byID[words.id] = maps.specs.count }
        if words.innerID != 0 { wanted.append((maps.specs.count, words.innerID)) }
        maps.add(words.map, at: entry.place)
      }
    }
    for (map, id) in wanted {
      guard let inner = byID[id], inner != map, inner >= first else {
        try findings.fail(
          EBPFError(
            .malformed, "the inner map has id \(id), which no map has",
            context: [.map(maps.specs[map].name)]))
        continue
      }
      var template = maps.specs[inner]
      template.inner = []
      maps.setInner(template, of: map)
    }
  }

  private func readLegacyMap(
    _ entry: SymbolIndex.Entry, until end: UInt64, of content: Bytes, section: String
  ) throws(EBPFError) -> Words {
    let (start, place) = (entry.symbol.value, UInt64(clamping: content.origin))
    guard start < end, end <= UInt64(content.count), end - start >= 16 else {
      throw EBPFError(
        .malformed, "a map definition needs 16 bytes, \(end > start ? end - start : 0) are there",
        context: [.offset(place.addingReportingOverflow(start).partialValue)],
        hint: "two maps share an address, or the section was cut short")
    }
    let bytes = try content.slice(at: start, count: end - start)
    func word(_ index: Int) throws(EBPFError) -> UInt32 {
      index * 4 + 4 <= bytes.count ? try bytes.load(at: index * 4, order: elf.order) : 0
    }
    // Words past those known would change the map's meaning if they were ignored.
    if bytes.count > 36 {
      for offset in 36..<bytes.count where bytes.span.byte(at: offset) != 0 {
        throw EBPFError(
          .unsupported, "the map's definition has a value in its unknown byte \(offset)",
          context: [.offset(UInt64(clamping: bytes.origin + offset))])
      }
    }
    var map = MapSpec(
      name: entry.name, sectionName: section, type: MapType(rawValue: try word(0)),
      keySize: try word(1), valueSize: try word(2), maxEntries: try word(3), flags: try word(4))
    let pinning = try word(6)
    guard pinning <= 2 else {
      throw EBPFError(
        .unsupported, "pinning \(pinning) is not known",
        context: [.offset(UInt64(clamping: bytes.origin + 24))])
    }
    map.pinning = pinning == 0 ? .none : .byName
    return Words(map: map, id: try word(5), innerID: try word(7))
  }
}
