/// The sections that hold variables: each becomes an array map with one entry.
struct DataSections {
  /// Variables that BTF describes.
  var variables: [GlobalVariable] = []
  /// The offset of each named symbol, by section.
  var symbolOffsets: [String: [String: UInt32]] = [:]
  /// The size of each section.
  var sizes: [String: UInt32] = [:]
  /// How many bytes may still be copied: sections that overlap must not multiply the file.
  private var budget: Int

  /// `BPF_F_RDONLY_PROG` (`linux/bpf.h`).
  static let readOnlyForPrograms: UInt32 = 1 << 7
  /// `BPF_F_MMAPABLE` (`linux/bpf.h`).
  static let mappable: UInt32 = 1 << 10

  init(
    _ parser: ObjectParser, _ symbols: SymbolIndex, _ maps: inout MapTable,
    _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    budget = parser.elf.bytes.count
    for entry in symbols.objects where entry.place.section < parser.sectionNames.count {
      let section = parser.sectionNames[entry.place.section]
      symbolOffsets[section, default: [:]][entry.name] = UInt32(clamping: entry.symbol.value)
    }
    for section in parser.elf.sections
    where section.size > 0 && section.flags & ELFFile.SectionFlag.allocate != 0 {
      let name = parser.sectionNames[section.index]
      // No variables are in code, unless BTF says so.
      guard !section.isExecutable || parser.types?.dataSections[name] != nil else { continue }
      guard sizes[name] == nil else { continue }
      sizes[name] = UInt32(clamping: section.size)
      guard let role = Self.role(of: name, section) else { continue }
      try findings.attempt { () throws(EBPFError) in
        try EBPFError.at(.section(name)) { () throws(EBPFError) in
          try add(section, name, role, parser, &maps)
        }
      }
    }
  }

  /// What a section's map will be; nil for a section that is no data.
  static func role(of name: String, _ section: ELFFile.Section) -> MapSpec.Role? {
    func isNamed(_ base: String) -> Bool { name == base || name.hasPrefix(base + ".") }
    guard !section.isExecutable else { return nil }
    switch section.type {
    case ELFFile.SectionType.programBits:
      return isNamed(".rodata") ? .readOnlyData : isNamed(".data") ? .data : nil
    case ELFFile.SectionType.noBits:
      return isNamed(".bss") ? .zeroedData : nil
    default: return nil
    }
  }

  private mutating func add(
    _ section: ELFFile.Section, _ name: String, _ role: MapSpec.Role, _ parser: ObjectParser,
    _ maps: inout MapTable
  ) throws(EBPFError) {
    // A section without bytes in the file may claim any size: only the kernel allocates it.
    guard let size = UInt32(exactly: section.size), size <= UInt32(Int32.max) else {
      throw EBPFError(
        .malformed, "the section has \(section.size) bytes; a map's value has less than 2 GiB",
        context: [.offset(section.offset)])
    }
    var map = MapSpec(
      name: parser.mapName(forSection: name), sectionName: name, type: .array, keySize: 4,
      valueSize: size, maxEntries: 1, flags: role == .readOnlyData ? Self.readOnlyForPrograms : 0,
      role: role)
    if role != .zeroedData {
      let contents = try parser.contents(of: section)
      guard contents.count <= budget else {
        throw EBPFError(
          .malformed, "the data sections together are larger than the file: they overlap",
          context: [.offset(section.offset)])
      }
      budget -= contents.count
      map.contents = contents.array
    }
    if let btf = parser.btf, let id = parser.types?.dataSections[name] {
      map.valueTypeID = id
      if try read(try btf.type(id), btf, map) { map.flags |= Self.mappable }
    }
    maps.addData(map, section: section.index)
  }

  /// Reads a section's variables; true when one of them is visible outside its file.
  private mutating func read(
    _ type: BTFType, _ btf: BTF, _ map: MapSpec
  ) throws(EBPFError) -> Bool {
    var hasGlobal = false
    let entries = try btf.variables(of: type)
    for index in entries.indices {
      let entry = entries[index]
      let variable = try btf.type(entry.typeID)
      guard variable.kind == .variable else { continue }
      let name = try btf.shortName(of: variable)
      let isStatic = try btf.variableLinkage(of: variable) == .static
      hasGlobal = hasGlobal || !isStatic
      let offset = isStatic ? entry.offset : symbolOffsets[map.sectionName]?[name] ?? entry.offset
      guard offset <= map.valueSize, entry.size <= map.valueSize - offset else {
        throw EBPFError(
          .malformed,
          "variable '\(name)' has \(entry.size) bytes at \(offset), its section \(map.valueSize)",
          context: [.type(variable.id)])
      }
      variables.append(
        GlobalVariable(
          name: name, sectionName: map.sectionName, mapName: map.name, offset: offset,
          size: entry.size, typeID: variable.referencedID, isStatic: isStatic))
    }
    return hasGlobal
  }
}
