/// What an object takes from the kernel by name: configuration values, variables, functions.
struct ExternTable {
  /// What an undefined symbol stands for.
  enum Target {
    case configuration(Int)
    case kernelSymbol(Int)
    /// Not usable; why is told where an instruction needs it.
    case unknown(EBPFError)
  }

  private(set) var configuration: [ConfigurationVariable] = []
  private(set) var kernelSymbols: [KernelSymbol] = []
  /// By index of the symbol.
  private(set) var targets: [Int: Target] = [:]
  private var configurationSize: UInt32 = 0
  private var configurationTypeID: UInt32 = 0

  init(
    _ parser: ObjectParser, _ symbols: SymbolIndex, _ findings: inout ObjectFindings
  ) throws(EBPFError) {
    guard !symbols.externs.isEmpty else { return }
    guard let btf = parser.btf else {
      for entry in symbols.externs {
        targets[entry.symbol.index] = .unknown(
          EBPFError(
            .unresolved,
            "'\(entry.name)' is defined elsewhere, and there is no BTF to say what it is",
            context: [.symbol(entry.name)],
            hint: "compile with -g, or link the object that defines it: bpftool gen object"))
      }
      return
    }
    guard let declared = parser.types else { return }
    var variables: [(variable: ConfigurationVariable, alignment: UInt32, symbol: Int)] = []
    for entry in symbols.externs {
      let isWeak = entry.symbol.binding == ELFFile.SymbolBinding.weak
      let found = try findings.attempt { () throws(EBPFError) -> Bool in
        try EBPFError.at(.symbol(entry.name)) { () throws(EBPFError) in
          guard let type = declared.externs[entry.name] else { return false }
          let section = declared.sections[type.id] ?? ""
          if section == ".kconfig" {
            let (variable, alignment) = try Self.configuration(entry.name, type, btf, isWeak)
            variables.append((variable, alignment, entry.symbol.index))
          } else if section == ".ksyms" {
            targets[entry.symbol.index] = .kernelSymbol(kernelSymbols.count)
            kernelSymbols.append(try Self.kernelSymbol(entry.name, type, btf, isWeak))
          } else {
            throw EBPFError(
              .unsupported, "extern '\(entry.name)' is in none of the sections for externs",
              hint: "mark it __kconfig (section .kconfig) or __ksym (section .ksyms)")
          }
          return true
        }
      }
      if found != true {
        targets[entry.symbol.index] = .unknown(
          EBPFError(
            .unresolved, "'\(entry.name)' is defined elsewhere, and BTF does not say what it is",
            context: [.symbol(entry.name)],
            hint: "mark it __ksym or __kconfig, or link the object that defines it"))
      }
    }
    configurationTypeID = declared.dataSections[".kconfig"] ?? 0
    try layOut(variables)
  }

  /// As libbpf: the strictest alignment first, then the smallest, then by name.
  private mutating func layOut(
    _ variables: [(variable: ConfigurationVariable, alignment: UInt32, symbol: Int)]
  ) throws(EBPFError) {
    let sorted = variables.sorted { a, b in
      if a.alignment != b.alignment { return a.alignment > b.alignment }
      if a.variable.size != b.variable.size { return a.variable.size < b.variable.size }
      return Array(a.variable.name.utf8).lexicographicallyPrecedes(Array(b.variable.name.utf8))
    }
    var end: UInt64 = 0
    for (variable, alignment, symbol) in sorted {
      let alignment = UInt64(max(1, alignment))
      let start = (end + alignment - 1) / alignment * alignment
      end = start + UInt64(variable.size)
      guard end <= UInt64(Int32.max) else {
        throw EBPFError(
          .malformed, "the configuration variables together have more than 2 GiB",
          context: [.section(".kconfig"), .symbol(variable.name)])
      }
      targets[symbol] = .configuration(configuration.count)
      configuration.append(variable)
      configuration[configuration.count - 1].offset = UInt32(start)
    }
    configurationSize = UInt32(end)
  }

  /// The map that holds the configuration variables; nil when there are none.
  func configurationMap(named name: String) -> MapSpec? {
    guard !configuration.isEmpty else { return nil }
    var map = MapSpec(
      name: name, sectionName: ".kconfig", type: .array, keySize: 4, valueSize: configurationSize,
      maxEntries: 1, flags: DataSections.readOnlyForPrograms | DataSections.mappable,
      role: .kernelConfiguration)
    map.valueTypeID = configurationTypeID
    return map
  }

  // MARK: - One extern

  private static func kernelSymbol(
    _ name: String, _ type: BTFType, _ btf: BTF, _ isWeak: Bool
  ) throws(EBPFError) -> KernelSymbol {
    let isFunction = type.kind == .function
    var isTyped = isFunction
    if !isFunction { isTyped = try btf.skipModifiers(type.referencedID).id != 0 }
    return KernelSymbol(
      name: name, isFunction: isFunction, typeID: isTyped ? type.id : 0, isWeak: isWeak)
  }

  private static func configuration(
    _ name: String, _ type: BTFType, _ btf: BTF, _ isWeak: Bool
  ) throws(EBPFError) -> (ConfigurationVariable, UInt32) {
    guard type.kind == .variable else {
      throw EBPFError(.malformed, "a function cannot be a configuration value")
    }
    guard let kind = try kind(of: type.referencedID, btf) else {
      throw EBPFError(
        .unsupported, "the type cannot hold a configuration value",
        context: [.type(type.referencedID)],
        hint: "use bool, char, char[], an integer or enum libbpf_tristate")
    }
    let size = try btf.size(of: type.referencedID)
    guard size > 0, let size = UInt32(exactly: size), size <= UInt32(Int32.max) else {
      throw EBPFError(.malformed, "a configuration value of \(size) bytes")
    }
    let alignment = UInt32(clamping: try btf.alignment(of: type.referencedID))
    return (
      ConfigurationVariable(name: name, offset: 0, size: size, kind: kind, isWeak: isWeak),
      alignment
    )
  }

  private static func kind(
    of id: UInt32, _ btf: BTF
  ) throws(EBPFError) -> ConfigurationVariable.Kind? {
    let type = try btf.skipModifiers(id)
    switch type.kind {
    case .int:
      let encoding = try btf.integer(of: type)
      if encoding.isBoolean { return type.size == 1 ? .boolean : nil }
      if type.size == 1 { return .character }
      return [2, 4, 8].contains(type.size) ? .integer(isSigned: encoding.isSigned) : nil
    case .enumeration, .enumeration64:
      return try btf.shortName(of: type) == "libbpf_tristate" ? .tristate : nil
    case .array:
      let array = try btf.array(of: type)
      let element = try btf.skipModifiers(array.elementID)
      guard array.count > 0, element.kind == .int, element.size == 1,
        try !btf.integer(of: element).isBoolean
      else { return nil }
      return .string
    default: return nil
    }
  }
}
