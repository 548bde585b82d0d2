/// A map definition in BTF: the struct type of a variable in `.maps`.
///
/// Integers are the number of elements of an array pointed to (`__uint`), types are pointed to
/// (`__type`), and 64-bit integers are an enumerator's value (`__ulong`); `bpf_helpers.h` of libbpf.
struct BTFMapDefinition {
  private let btf: BTF
  private var map: MapSpec
  /// Where the `values` array begins in the definition.
  private var slotsOffset: UInt64?

  /// Reads the definition that is the struct `type`.
  static func parse(
    _ type: BTFType, name: String, in btf: BTF
  ) throws(EBPFError) -> (map: MapSpec, slotsOffset: UInt64?) {
    var definition = BTFMapDefinition(btf: btf, name: name)
    try definition.read(type, isInner: false)
    return (definition.map, definition.slotsOffset)
  }

  private init(btf: BTF, name: String) {
    self.btf = btf
    map = MapSpec(name: name, sectionName: ".maps", type: .unspecified)
  }

  private mutating func read(_ type: BTFType, isInner: Bool) throws(EBPFError) {
    var hasType = false
    let members = try btf.members(of: type)
    // Ten are known; the limit keeps maps that share an endless definition from costing time.
    guard members.count <= 32 else {
      throw wrong("a map definition of \(members.count) members")
    }
    for index in members.indices {
      let member = members[index]
      let name = try btf.shortString(at: member.nameOffset)
      do throws(EBPFError) {
        if name == "values" {
          guard !isInner else { throw wrong("an inner map cannot have inner maps itself") }
          guard index == members.count - 1 else { throw wrong("it must be the last member") }
          slotsOffset = UInt64(member.bitOffset / 8)
          try readValues(member.typeID)
        } else {
          try read(name, member.typeID, isInner: isInner)
        }
      } catch {
        throw error.within(.other("member", name))
      }
      if name == "type" { hasType = true }
    }
    guard hasType else {
      throw wrong(
        "the definition of the map names no type", hint: "add __uint(type, BPF_MAP_TYPE_HASH);")
    }
  }

  private mutating func read(_ name: String, _ id: UInt32, isInner: Bool) throws(EBPFError) {
    switch name {
    case "type": map.type = MapType(rawValue: try integer(id))
    case "max_entries": map.maxEntries = try integer(id)
    case "map_flags": map.flags = try integer(id)
    case "numa_node": map.numaNode = try integer(id)
    case "map_extra": map.extra = try long(id)
    case "key_size":
      map.keySize = try agree(map.keySize, try integer(id), hasType: map.keyTypeID != 0)
    case "value_size":
      map.valueSize = try agree(map.valueSize, try integer(id), hasType: map.valueTypeID != 0)
    case "key":
      (map.keyTypeID, map.keySize) = try pointee(id, agreeingWith: map.keySize)
    case "value":
      (map.valueTypeID, map.valueSize) = try pointee(id, agreeingWith: map.valueSize)
    case "pinning":
      guard !isInner else { throw wrong("an inner map cannot be pinned by its definition") }
      let value = try integer(id)
      guard value <= 1 else {
        throw wrong("pinning \(value) is not known", hint: "LIBBPF_PIN_BY_NAME is 1")
      }
      map.pinning = value == 1 ? .byName : .none
    default:
      throw EBPFError(
        .unsupported, "a map definition has no member '\(name)'",
        hint:
          "known: type, max_entries, key, value, key_size, value_size, map_flags, map_extra, "
          + "numa_node, pinning, values")
    }
  }

  /// `values`: the inner map's definition, or the programs of a program array.
  private mutating func readValues(_ id: UInt32) throws(EBPFError) {
    let isProgramArray = map.type == .programArray
    guard isProgramArray || map.type == .arrayOfMaps || map.type == .hashOfMaps else {
      throw wrong("only a map of maps or a program array has initial values")
    }
    map.valueSize = try agree(map.valueSize, 4, hasType: map.valueTypeID != 0)
    let list = try btf.skipModifiers(id)
    guard list.kind == .array, try btf.array(of: list).count == 0 else {
      throw wrong("it must be an array without a size")
    }
    let pointer = try btf.skipModifiers(try btf.array(of: list).elementID)
    guard pointer.kind == .pointer else { throw wrong("it must be an array of pointers") }
    let element = try btf.skipModifiers(pointer.referencedID)
    if isProgramArray {
      guard element.kind == .functionPrototype else {
        throw wrong("a program array's values must be functions, not a \(element.kind)")
      }
      return
    }
    guard element.kind == .structure else {
      throw wrong("an inner map's definition must be a struct, not a \(element.kind)")
    }
    var inner = BTFMapDefinition(btf: btf, name: map.name + ".inner")
    try inner.read(element, isInner: true)
    map.inner = [inner.map]
  }

  // MARK: - Encodings

  private func integer(_ id: UInt32) throws(EBPFError) -> UInt32 {
    let pointer = try btf.skipModifiers(id)
    guard pointer.kind == .pointer else {
      throw wrong("it must be a pointer to an array, as __uint makes it, not a \(pointer.kind)")
    }
    let array = try btf.type(pointer.referencedID)
    guard array.kind == .array else {
      throw wrong("it must be a pointer to an array, as __uint makes it")
    }
    return try btf.array(of: array).count
  }

  private func long(_ id: UInt32) throws(EBPFError) -> UInt64 {
    let type = try btf.skipModifiers(id)
    if type.kind == .pointer { return UInt64(try integer(id)) }
    guard type.kind.isEnumeration, let first = try btf.enumerators(of: type).first else {
      throw wrong("it must be an enumeration, as __ulong makes it, not a \(type.kind)")
    }
    return first.bits
  }

  private func pointee(
    _ id: UInt32, agreeingWith size: UInt32
  ) throws(EBPFError) -> (UInt32, UInt32) {
    let pointer = try btf.type(id)
    guard pointer.kind == .pointer else {
      throw wrong("it must be a pointer, as __type makes it, not a \(pointer.kind)")
    }
    let target = pointer.referencedID
    guard let own = UInt32(exactly: try btf.size(of: target)) else {
      throw wrong("the type is larger than 4 GiB")
    }
    guard size == 0 || size == own else {
      throw wrong("the size was given as \(size), but the type has \(own) bytes")
    }
    return (target, own)
  }

  private func agree(
    _ known: UInt32, _ size: UInt32, hasType: Bool
  ) throws(EBPFError) -> UInt32 {
    guard known == 0 && !hasType || known == size else {
      throw wrong("the size was given as \(size), but is already \(known)")
    }
    return size
  }

  private func wrong(_ message: String, hint: String? = nil) -> EBPFError {
    EBPFError(.malformed, message, hint: hint)
  }
}

extension ObjectParser {
  /// Reads the variables of `.maps`.
  func readBTFMaps(
    into maps: inout MapTable, _ symbols: SymbolIndex, _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    guard let section = elf.section(named: ".maps"), section.size > 0 else { return }
    guard let btf, let id = types?.dataSections[".maps"] else {
      try findings.fail(
        EBPFError(
          .malformed, "maps are declared, but there is no BTF that describes them",
          context: [.section(".maps"), .offset(section.offset)], hint: "compile with -g"))
      return
    }
    let list = try findings.attempt { () throws(EBPFError) in
      try btf.variables(of: try btf.type(id))
    }
    guard let list else { return }
    for index in list.indices {
      try findings.attempt { () throws(EBPFError) in
        try EBPFError.at(.section(".maps")) { () throws(EBPFError) in
          try readBTFMap(list[index], btf, section, symbols, into: &maps)
        }
      }
    }
  }

  private func readBTFMap(
    _ entry: BTFSectionVariable, _ btf: BTF, _ section: ELFFile.Section, _ symbols: SymbolIndex,
    into maps: inout MapTable
  ) throws(EBPFError) {
    let variable = try btf.type(entry.typeID)
    guard variable.kind == .variable else {
      throw EBPFError(
        .malformed, "a \(variable.kind) is among the maps", context: [.type(entry.typeID)])
    }
    let name = try btf.shortName(of: variable)
    guard !name.isEmpty else {
      throw EBPFError(.malformed, "a map has no name", context: [.type(entry.typeID)])
    }
    try EBPFError.at(.map(name)) { () throws(EBPFError) in
      // The compiler leaves the offsets of global variables to the linker: the symbol has them.
      let offset = symbols.offsets[section.index]?[name] ?? UInt64(entry.offset)
      guard offset <= section.size, UInt64(entry.size) <= section.size - offset else {
        throw EBPFError(
          .malformed,
          "the map's \(entry.size) bytes at \(offset) end after its section's \(section.size)",
          context: [.offset(section.offset)])
      }
      guard try btf.variableLinkage(of: variable) != .extern else {
        throw EBPFError(
          .unsupported, "the map is only declared here (extern), not defined",
          hint: "link the object that defines it first: bpftool gen object")
      }
      let type = try btf.skipModifiers(variable.referencedID)
      guard type.kind == .structure else {
        throw EBPFError(
          .malformed, "a map's definition is a struct, not a \(type.kind)",
          context: [.type(type.id)])
      }
      let (map, slots) = try BTFMapDefinition.parse(type, name: name, in: btf)
      maps.addDefinition(
        map, at: Place(section: section.index, offset: offset), size: UInt64(entry.size),
        slotsOffset: slots)
    }
  }
}
