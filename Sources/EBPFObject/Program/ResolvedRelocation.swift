/// What an instruction's address turned out to be.
enum ResolvedRelocation {
  /// A call of a function of the object, by index.
  case call(Int)
  /// The address of a function, for a callback.
  case address(Int)
  /// Something that only a loader can give an address to.
  case reference(ProgramSpec.Reference.Target)

  /// The function that has to be in the program.
  var function: Int? {
    switch self {
    case .call(let function), .address(let function): function
    case .reference: nil
    }
  }
}

extension Linker {
  /// What a relocated call or 64-bit load refers to.
  func resolve(
    _ relocation: CodeSection.Relocation, _ symbol: ELFFile.Symbol, _ instruction: Instruction
  ) throws(EBPFError) -> ResolvedRelocation {
    guard let index = symbol.sectionIndex else {
      guard symbol.isUndefined else {
        throw EBPFError(
          .unsupported, "symbol '\(name(of: symbol))' has no place in the object",
          context: [.symbol(name(of: symbol))],
          hint: "common and absolute symbols cannot be used; compile with -fno-common")
      }
      return .reference(try externReference(symbol, isCall: instruction.isCall))
    }
    if instruction.isCall { return .call(try callee(relocation, symbol, index, instruction)) }
    let place = try address(symbol, index, instruction.immediate, relocation.addend)
    if code.contains(index) {
      guard place.offset % 8 == 0, let instruction = Int(exactly: place.offset / 8) else {
        throw EBPFError(.malformed, "the address \(place.offset) is no instruction's")
      }
      return .address(try callee(at: instruction, inSection: index))
    }
    switch maps.target(at: place) {
    case .map(let name): return .reference(.map(name))
    case .value(let name, let size):
      guard place.offset < size, let offset = UInt32(exactly: place.offset) else {
        throw EBPFError(
          .malformed, "the address is byte \(place.offset) of map '\(name)', which has \(size)",
          context: [.symbol(name)])
      }
      return .reference(.mapValue(name, offset: offset))
    case nil: throw noMap(symbol, place)
    }
  }

  private func noMap(_ symbol: ELFFile.Symbol, _ place: Place) -> EBPFError {
    let section =
      place.section < parser.sectionNames.count
      ? parser.sectionNames[place.section] : "#\(place.section)"
    if maps.mapSections.contains(place.section) {
      return EBPFError(
        .malformed, "no map is declared at byte \(place.offset) of section '\(section)'",
        context: [.symbol(name(of: symbol))])
    }
    return EBPFError(
      .unsupported, "an address in section '\(section)' is used, which is neither a map nor data",
      context: [.symbol(name(of: symbol))],
      hint: section.hasPrefix(".addr_space")
        ? "variables in an arena are not supported" : nil)
  }

  /// For a global function the symbol is its address; for a static one it is the section's start, and
  /// the instruction has the distance.
  private func callee(
    _ relocation: CodeSection.Relocation, _ symbol: ELFFile.Symbol, _ index: Int,
    _ instruction: Instruction
  ) throws(EBPFError) -> Int {
    guard instruction.source == Instruction.Pseudo.call else {
      throw EBPFError(
        .malformed, "the call of helper \(instruction.immediate) has a relocation",
        context: [.symbol(name(of: symbol))])
    }
    guard code.contains(index) else {
      throw EBPFError(
        .malformed, "the call goes to '\(name(of: symbol))', which is no code",
        context: [.symbol(name(of: symbol))])
    }
    let (address, overflow) = symbol.value.addingReportingOverflow(
      UInt64(bitPattern: relocation.addend))
    guard !overflow, address % 8 == 0, let base = Int(exactly: address / 8) else {
      throw EBPFError(
        .malformed, "the call goes to byte \(symbol.value), which is no instruction's",
        context: [.symbol(name(of: symbol))])
    }
    let (target, isOut) = base.addingReportingOverflow(Int(instruction.immediate) + 1)
    return try callee(at: isOut ? -1 : target, inSection: index)
  }

  private func address(
    _ symbol: ELFFile.Symbol, _ index: Int, _ immediate: Int32, _ addend: Int64
  ) throws(EBPFError) -> Place {
    // A map is the symbol itself; in data and code the instruction holds what to add.
    let isMap =
      maps.mapSections.contains(index) && symbol.type != ELFFile.SymbolType.section
    let distance = isMap ? 0 : Int64(immediate).addingReportingOverflow(addend).partialValue
    guard let base = Int64(exactly: symbol.value),
      case (let sum, false) = base.addingReportingOverflow(distance),
      let offset = UInt64(exactly: sum)
    else {
      throw EBPFError(
        .malformed, "the address \(symbol.value) + \(distance) is outside every section",
        context: [.symbol(name(of: symbol))])
    }
    return Place(section: index, offset: offset)
  }

  private func externReference(
    _ symbol: ELFFile.Symbol, isCall: Bool
  ) throws(EBPFError) -> ProgramSpec.Reference.Target {
    switch externs.targets[symbol.index] {
    case .configuration(let index):
      let variable = externs.configuration[index]
      guard !isCall else {
        throw EBPFError(
          .malformed, "the configuration value '\(variable.name)' is called",
          context: [.symbol(variable.name)])
      }
      return .configuration(variable.name, offset: variable.offset)
    case .kernelSymbol(let index):
      let symbol = externs.kernelSymbols[index]
      if symbol.isFunction {
        return .kernelFunction(symbol.name, typeID: symbol.typeID, isWeak: symbol.isWeak)
      }
      guard !isCall else {
        throw EBPFError(
          .malformed, "the kernel variable '\(symbol.name)' is called",
          context: [.symbol(symbol.name)])
      }
      return .kernelVariable(symbol.name, typeID: symbol.typeID, isWeak: symbol.isWeak)
    case .unknown(let error): throw error
    case nil:
      throw EBPFError(
        .unresolved, "'\(name(of: symbol))' is not defined in the object",
        context: [.symbol(name(of: symbol))],
        hint: "link the object that defines it: bpftool gen object")
    }
  }

  /// A symbol's name for a message; a section's symbol has none of its own.
  func name(of symbol: ELFFile.Symbol) -> String {
    if symbol.nameOffset == 0, let index = symbol.sectionIndex, index < parser.sectionNames.count {
      return parser.sectionNames[index]
    }
    do throws(EBPFError) {
      return try parser.symbols?.nameBytes.name(at: Int(symbol.nameOffset)) ?? ""
    } catch {
      return "#\(symbol.index)"
    }
  }
}

extension CodeSection {
  /// The instructions of a function, which lies inside.
  func instructions(from first: Int, before end: Int) throws(EBPFError) -> [Instruction] {
    let bytes = try code.slice(
      at: first * Instruction.size, count: (end - first) * Instruction.size)
    return try Instruction.decode(bytes, order: order)
  }

  /// The first relocation, by index, for an instruction or a later one; relocations are sorted.
  func firstRelocation(from instruction: Int) -> Int {
    var low = 0
    var high = relocations.count
    while low < high {
      let middle = low + (high - low) / 2
      if relocations[middle].instruction < instruction { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The next instruction that may hold an address, or that a relocation says does: 64-bit loads and
  /// calls. `relocation` is the index of the first relocation not yet passed.
  func nextAddress(
    from first: Int, before end: Int, _ relocation: inout Int
  ) -> (instruction: Int, relocation: Relocation?)? {
    while relocation < relocations.count, relocations[relocation].instruction < first {
      relocation += 1
    }
    let relocated = relocation < relocations.count ? relocations[relocation].instruction : Int.max
    let span = code.span
    let end = min(end, count)
    var place = first
    while place < end, place != relocated {
      let opcode = span.byte(at: place * Instruction.size)
      if opcode == Instruction.wideLoad || opcode == Instruction.call { return (place, nil) }
      place += 1
    }
    return place < end ? (place, relocations[relocation]) : nil
  }
}

extension Instruction {
  /// Marks the instruction with the kind of address it will hold; the address itself is still 0.
  mutating func prepare(for target: ProgramSpec.Reference.Target) {
    switch target {
    case .map:
      source = Pseudo.mapFD
      immediate = 0
    case .mapValue, .configuration:
      source = Pseudo.mapValue
      immediate = 0
    case .kernelVariable(_, let typeID, _):
      source = typeID == 0 ? 0 : Pseudo.btfID
      immediate = 0
    case .kernelFunction:
      source = isCall ? Pseudo.kernelFunction : Pseudo.btfID
      immediate = 0
    }
  }
}
