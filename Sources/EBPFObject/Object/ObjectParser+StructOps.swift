// Implementations of kernel structures of functions: the variables of `.struct_ops`.
extension ObjectParser {
  /// Lists the variables of `.struct_ops` and `.struct_ops.link`, each a map; those of sections with a
  /// leading `?` are made only when asked for. Which programs their members are comes later.
  func readStructOps(
    into maps: inout MapTable, _ symbols: SymbolIndex, _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    guard let btf else { return }
    // Members without bytes, or of few bits, would let a small file ask for much work.
    var memberBudget = max(1 << 16, elf.bytes.count)
    for section in elf.sections where section.type == ELFFile.SectionType.programBits {
      let name = sectionNames[section.index]
      let bare = name.utf8.first == UInt8(ascii: "?") ? String(name.dropFirst()) : name
      guard bare == ".struct_ops" || bare == ".struct_ops.link", section.size > 0 else { continue }
      try findings.attempt { () throws(EBPFError) in
        try EBPFError.at(.section(name)) { () throws(EBPFError) in
          try readStructOps(section, name, btf, symbols, &memberBudget, into: &maps)
        }
      }
    }
  }

  private func readStructOps(
    _ section: ELFFile.Section, _ name: String, _ btf: BTF, _ symbols: SymbolIndex,
    _ memberBudget: inout Int, into maps: inout MapTable
  ) throws(EBPFError) {
    guard let id = types?.dataSections[name] else {
      throw EBPFError(
        .malformed, "the section has no description in BTF", context: [.offset(section.offset)],
        hint: "compile with -g")
    }
    let content = try contents(of: section)
    var budget = content.count
    for entry in try btf.variables(of: try btf.type(id)) {
      let variable = try btf.type(entry.typeID)
      guard variable.kind == .variable else { continue }
      let type = try btf.skipModifiers(variable.referencedID)
      let name = try btf.shortName(of: variable)
      let offset = symbols.offsets[section.index]?[name] ?? UInt64(entry.offset)
      let initial = try content.slice(at: offset, count: try btf.size(of: type.id))
      budget -= initial.count
      guard budget >= 0 else {
        throw EBPFError(.malformed, "the variables overlap", context: [.offset(section.offset)])
      }
      memberBudget -= 1 + type.count
      guard memberBudget >= 0 else {
        throw EBPFError(
          .tooLarge, "the variables have too many members", context: [.offset(section.offset)])
      }
      let sectionName = sectionNames[section.index]
      var map = MapSpec(
        name: name, sectionName: sectionName, type: .structOps, keySize: 4,
        valueSize: UInt32(clamping: initial.count), maxEntries: 1,
        flags: sectionName.hasSuffix(".link") ? MapSpec.linkFlag : 0)
      map.autocreate = sectionName.utf8.first != UInt8(ascii: "?")
      map.valueTypeID = type.id
      map.contents = initial.array
      maps.addStructOps(map, at: Place(section: section.index, offset: offset))
    }
  }

  /// Reads the relocations of these sections: the programs that the structures' members are.
  func readStructOpsFunctions(
    into maps: inout MapTable, _ linker: Linker, _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    guard let btf, !maps.structOps.isEmpty else { return }
    let variables = Dictionary(grouping: maps.structOps, by: \.place.section).mapValues { list in
      list.sorted { $0.place.offset < $1.place.offset }
    }
    var members = StructOpsMembers(btf)
    var known: [Int: Bytes] = [:]
    for relocations in elf.sections
    where relocations.type == ELFFile.SectionType.relocations
      || relocations.type == ELFFile.SectionType.relocationsWithAddend
    {
      let index = Int(relocations.info)
      guard let variables = variables[index] else { continue }
      if known[index] == nil {
        known[index] = try findings.attempt { () throws(EBPFError) in
          try contents(of: elf.sections[index])
        }
      }
      let list = try findings.attempt { () throws(EBPFError) in
        try elf.relocations(in: relocations)
      }
      guard let content = known[index], let list else { continue }
      for relocation in list {
        try findings.attempt { () throws(EBPFError) in
          try EBPFError.at(.section(sectionNames[index])) { () throws(EBPFError) in
            try readFunction(relocation, content, variables, &members, into: &maps, linker)
          }
        }
      }
    }
  }

  private func readFunction(
    _ relocation: ELFFile.Relocation, _ content: Bytes, _ variables: [MapTable.StructOps],
    _ members: inout StructOpsMembers, into maps: inout MapTable, _ linker: Linker
  ) throws(EBPFError) {
    // The last variable that begins at or before the byte; they are sorted.
    var low = 0
    var high = variables.count
    while low < high {
      let middle = low + (high - low) / 2
      if variables[middle].place.offset <= relocation.offset {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low > 0,
      case let variable = variables[low - 1],
      case let offset = relocation.offset - variable.place.offset,
      offset < UInt64(maps.specs[variable.map].contents.count)
    else {
      throw EBPFError(
        .malformed, "a relocation is for byte \(relocation.offset), where no variable is",
        context: [.offset(UInt64(clamping: content.origin))])
    }
    let typeID = maps.specs[variable.map].valueTypeID
    try EBPFError.at(.map(maps.specs[variable.map].name)) { () throws(EBPFError) in
      guard let member = try members.function(at: offset, of: typeID) else {
        throw EBPFError(
          .malformed, "byte \(offset) of the structure is given an address, and is no function",
          hint: "of a kernel structure only pointers to functions can be given")
      }
      let what = "member '\(member.name)'"
      let (place, symbol) = try target(of: relocation, in: content, what, linker)
      maps.setSlot(
        member.index, of: variable.map,
        to: .program(try program(at: place, symbol, what, linker)))
    }
  }
}

/// The pointers to functions in structures, by offset; each structure is looked through once.
private struct StructOpsMembers {
  struct Member {
    let index: UInt32
    let name: String
  }

  private let btf: BTF
  private var known: [UInt32: [UInt64: Member]] = [:]

  init(_ btf: BTF) { self.btf = btf }

  mutating func function(at offset: UInt64, of typeID: UInt32) throws(EBPFError) -> Member? {
    if let members = known[typeID] { return members[offset] }
    let type = try btf.type(typeID)
    var found: [UInt64: Member] = [:]
    if type.kind == .structure {
      for (index, member) in try btf.members(of: type).enumerated() {
        guard member.bitOffset % 8 == 0, try btf.isFunctionPointer(member.typeID) else { continue }
        found[UInt64(member.bitOffset / 8)] = Member(
          index: UInt32(clamping: index), name: try btf.string(at: member.nameOffset))
      }
    }
    known[typeID] = found
    return found[offset]
  }
}

extension BTF {
  /// True for a pointer to a function, behind typedefs and modifiers.
  func isFunctionPointer(_ id: UInt32) throws(EBPFError) -> Bool {
    let pointer = try skipModifiers(id)
    guard pointer.kind == .pointer else { return false }
    return try skipModifiers(pointer.referencedID).kind == .functionPrototype
  }
}
