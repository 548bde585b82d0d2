/// Reads an object file section by section, in the order in which later parts need earlier ones.
struct ObjectParser {
  let elf: ELFFile
  let decompressor: Decompressor?
  /// The object's name, as data maps carry it.
  let name: String
  /// Every section's name, read once and with a limit.
  let sectionNames: [String]
  let symbols: SymbolTable?
  let btf: BTF?
  let btfExt: BTFExt?
  /// What the BTF says of the object itself.
  let types: ObjectTypes?

  static func parse(
    _ bytes: Bytes, name: String, sizeLimit: Int, decompressor: Decompressor?,
    findings: inout ObjectFindings
  ) throws(EBPFError) -> ParsedObject {
    guard bytes.count <= sizeLimit else {
      throw EBPFError(
        .tooLarge, "the file has \(bytes.count) bytes, the limit is \(sizeLimit)",
        hint: "strip the object's debug sections (llvm-strip -g), or raise the limit")
    }
    let parser = try ObjectParser(
      bytes, name: name, decompressor: decompressor, findings: &findings)
    return try parser.object(&findings)
  }

  init(
    _ bytes: Bytes, name: String, decompressor: Decompressor?, findings: inout ObjectFindings
  ) throws(EBPFError) {
    elf = try Self.open(bytes)
    self.decompressor = decompressor
    self.name = Self.objectName(ofFile: name)
    sectionNames = try Self.names(of: elf, &findings)
    let elf = elf
    symbols = try findings.attempt { () throws(EBPFError) in try elf.symbolTable } ?? nil

    func section(_ name: String) throws(EBPFError) -> Bytes? {
      guard let section = elf.section(named: name), section.size > 0,
        section.type != ELFFile.SectionType.noBits
      else { return nil }
      return try Self.contents(of: section, elf, decompressor)
    }
    let btf = try findings.attempt { () throws(EBPFError) -> BTF? in
      guard let bytes = try section(".BTF") else { return nil }
      return try EBPFError.at(.section(".BTF")) { () throws(EBPFError) in
        try BTF(parsing: bytes)
      }
    }
    self.btf = btf ?? nil
    guard let types = btf ?? nil else {
      btfExt = nil
      self.types = nil
      return
    }
    self.types = try findings.attempt { () throws(EBPFError) in
      try EBPFError.at(.section(".BTF")) { () throws(EBPFError) in try ObjectTypes(types) }
    }
    let extra = try findings.attempt { () throws(EBPFError) -> BTFExt? in
      guard let bytes = try section(".BTF.ext") else { return nil }
      return try EBPFError.at(.section(".BTF.ext")) { () throws(EBPFError) in
        try BTFExt(parsing: bytes, btf: types)
      }
    }
    btfExt = extra ?? nil
  }

  /// The ELF file, when it is a BPF object at all.
  private static func open(_ bytes: Bytes) throws(EBPFError) -> ELFFile {
    guard bytes.count > 0 else {
      throw EBPFError(
        .malformed, "the file is empty", hint: "the compiler or the copy may have failed")
    }
    let elf = try ELFFile(bytes)
    // Compilers before LLVM 5 wrote no machine.
    guard elf.machine == ELFFile.Machine.bpf || elf.machine == 0 else {
      throw EBPFError(
        .unsupported, "the file holds \(machineName(elf.machine)) code, not BPF",
        context: [.offset(18)], hint: "compile with clang -target bpf -g -O2 -c")
    }
    guard elf.is64Bit else {
      throw EBPFError(
        .unsupported, "a BPF object is a 64-bit ELF file, this one has 32 bits",
        context: [.offset(4)], hint: "compile with clang -target bpf")
    }
    guard elf.type == ELFFile.FileType.relocatable else {
      throw EBPFError(
        .unsupported, "a BPF object is relocatable (ELF type 1), this file has type \(elf.type)",
        context: [.offset(16)], hint: "pass clang -c; do not link the object")
    }
    return elf
  }

  private static func machineName(_ machine: UInt16) -> String {
    switch machine {
    case ELFFile.Machine.i386: "i386"
    case ELFFile.Machine.x86_64: "x86_64"
    case ELFFile.Machine.aarch64: "aarch64"
    case ELFFile.Machine.s390: "s390"
    default: "machine \(machine)"
    }
  }

  /// As libbpf: the last part of the path, up to its first dot.
  static func objectName(ofFile path: String) -> String {
    let file = path.split(separator: "/").last ?? ""
    return String(file.prefix { $0 != "." })
  }

  private static func names(
    of elf: ELFFile, _ findings: inout ObjectFindings
  ) throws(EBPFError) -> [String] {
    let index = Int(elf.nameSectionIndex)
    guard index > 0, index < elf.sections.count else {
      return [String](repeating: "", count: elf.sections.count)
    }
    let table = try findings.attempt { () throws(EBPFError) in
      try elf.contents(of: elf.sections[index])
    }
    var names: [String] = []
    names.reserveCapacity(elf.sections.count)
    for section in elf.sections {
      let name = try findings.attempt { () throws(EBPFError) -> String in
        guard let table, section.type != ELFFile.SectionType.null else { return "" }
        return try table.name(at: Int(section.nameOffset))
      }
      names.append(name ?? "")
    }
    return names
  }

  func contents(of section: ELFFile.Section) throws(EBPFError) -> Bytes {
    try Self.contents(of: section, elf, decompressor)
  }

  private static func contents(
    of section: ELFFile.Section, _ elf: ELFFile, _ decompressor: Decompressor?
  ) throws(EBPFError) -> Bytes {
    guard let decompressor else { return try elf.contents(of: section) }
    return try elf.contents(of: section, using: decompressor)
  }
}

// MARK: - The whole object

extension ObjectParser {
  private func object(_ findings: inout ObjectFindings) throws(EBPFError) -> ParsedObject {
    let license = try findings.attempt { () throws(EBPFError) in try readLicense() } ?? ""
    let version = try findings.attempt { () throws(EBPFError) in try readVersion() } ?? 0
    let symbolIndex = try SymbolIndex(self, &findings)
    let externs = try ExternTable(self, symbolIndex, &findings)

    var maps = MapTable()
    try readLegacyMaps(into: &maps, symbolIndex, &findings)
    try readBTFMaps(into: &maps, symbolIndex, &findings)
    let data = try DataSections(self, symbolIndex, &maps, &findings)
    if let map = externs.configurationMap(named: mapName(forSection: ".kconfig")) {
      maps.add(map)
    }
    try readStructOps(into: &maps, symbolIndex, &findings)

    let code = try CodeSections(self, symbolIndex, &findings)
    var linker = Linker(self, code: code, maps: maps, externs: externs)
    let programs = try linker.programs(&findings)
    try readSlots(into: &maps, linker, &findings)
    try readStructOpsFunctions(into: &maps, linker, &findings)
    let object = ObjectFile(
      name: name, maps: maps.specs, programs: programs, license: license, version: version,
      order: elf.order, btf: btf, globals: data, externs: externs,
      functionsToMarkStatic: linker.hiddenFunctionIDs, warnings: findings.warnings)
    return ParsedObject(
      object: object, programSections: linker.programSections, elf: elf,
      functionCount: code.functions.count,
      relocations: try code.relocations(btfExt, btf, &findings))
  }

  private func readLicense() throws(EBPFError) -> String {
    guard let section = elf.section(named: "license") else { return "" }
    let bytes = try contents(of: section)
    // The kernel reads at most 128 bytes and libbpf 63; what follows a zero byte is not part of it.
    let length = min(bytes.distanceToZero(from: 0) ?? bytes.count, 127)
    return try bytes.slice(at: 0, count: length).text
  }

  private func readVersion() throws(EBPFError) -> UInt32 {
    guard let section = elf.section(named: "version") else { return 0 }
    return try EBPFError.at(.section("version")) { () throws(EBPFError) in
      let bytes = try contents(of: section)
      guard bytes.count == 4 else {
        throw EBPFError(
          .malformed, "the kernel version has 4 bytes, not \(bytes.count)",
          context: [.offset(section.offset)])
      }
      return try bytes.load(at: 0, order: elf.order)
    }
  }

  /// The name of a data section's map: at most 8 characters of the object's name, then the section's
  /// (`libbpf`'s rule). A section with a suffix of its own gives its whole name.
  func mapName(forSection section: String) -> String {
    if section.dropFirst().contains(".") { return section }
    let suffix = section.utf8.prefix(15)
    let prefix = name.utf8.prefix(15 - max(7, suffix.count))
    let bytes = (Array(prefix) + Array(suffix)).map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
        byte
      default: UInt8(ascii: "_")
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
