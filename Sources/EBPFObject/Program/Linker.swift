/// Puts each program and the subprograms it reaches into one sequence of instructions.
///
/// Subprograms are appended in the order in which libbpf appends them, depth first at their first
/// call, so that the kernel computes the same tag for the same object.
struct Linker {
  let parser: ObjectParser
  let code: CodeSections
  let maps: MapTable
  let externs: ExternTable
  /// Exception callbacks by the function whose tag names them.
  private var exceptionCallbacks: [UInt32: String] = [:]
  private var resolved: [Int: ResolvedRelocation] = [:]
  /// How much more all programs together may hold: shared subprograms must not multiply the file.
  private var budget: Int

  init(_ parser: ObjectParser, code: CodeSections, maps: MapTable, externs: ExternTable) {
    self.parser = parser
    self.code = code
    self.maps = maps
    self.externs = externs
    budget = max(1 << 18, parser.elf.bytes.count / 2)
  }

  /// True for a function that is only called by programs, never loaded by itself.
  ///
  /// As libbpf: all functions in `.text`, unless there is only that one.
  func isSubprogram(_ function: CodeFunction) -> Bool {
    function.section == code.textIndex && code.functions.count > 1
  }

  /// Links every program.
  mutating func programs(_ findings: inout ObjectFindings) throws(EBPFError) -> [ProgramSpec] {
    exceptionCallbacks =
      try findings.attempt { () throws(EBPFError) in try readExceptionCallbacks() } ?? [:]
    var programs: [ProgramSpec] = []
    for index in code.functions.indices where !isSubprogram(code.functions[index]) {
      let function = code.functions[index]
      let program = try findings.attempt { () throws(EBPFError) in
        try EBPFError.at(.section(code.sections[function.section]?.name ?? "")) {
          () throws(EBPFError) in
          try EBPFError.at(.program(function.name)) { () throws(EBPFError) in try link(index) }
        }
      }
      if let program { programs.append(program) }
    }
    return programs
  }

  /// The BTF ids of hidden global functions.
  func hiddenFunctionIDs(_ findings: inout ObjectFindings) throws(EBPFError) -> [UInt32] {
    guard let btf = parser.btf else { return [] }
    var ids: [UInt32] = []
    for function in code.functions where function.isHidden {
      let id = try findings.attempt { () throws(EBPFError) in
        try btf.firstID(named: function.name, kind: .function)
      }
      if let id = id ?? nil { ids.append(id) }
    }
    return ids
  }

  // MARK: - One program

  private mutating func link(_ main: Int) throws(EBPFError) -> ProgramSpec {
    let function = code.functions[main]
    let section = SectionName(code.sections[function.section]?.name ?? "")
    var program = ProgramSpec(
      name: function.name, sectionName: section.text, type: section.programType,
      attachType: section.attachType, attachTarget: section.target)
    program.flags = section.loadFlags
    program.autoload = section.autoload
    var placed: [Int: Int] = [:]
    try append(main, to: &program, &placed)
    try link(from: main, &program, &placed)
    if let name = exceptionCallbacks[program.functions[0].typeID] {
      guard
        let callback = code.functions.firstIndex(where: {
          $0.name == name && $0.section == code.textIndex && $0.isGlobal
        })
      else {
        throw EBPFError(
          .unresolved, "the exception callback '\(name)' is not a global function of .text",
          context: [.symbol(name)])
      }
      if placed[callback] == nil {
        try append(callback, to: &program, &placed)
        try link(from: callback, &program, &placed)
      }
    }
    program.references.sort { $0.instruction < $1.instruction }
    return program
  }

  /// Goes through a function's instructions, appending what it calls before going on.
  private mutating func link(
    from first: Int, _ program: inout ProgramSpec, _ placed: inout [Int: Int]
  ) throws(EBPFError) {
    var stack = [(function: first, next: 0)]
    while let (index, next) = stack.popLast() {
      let function = code.functions[index]
      guard let start = placed[index] else { continue }
      var position = next
      while position < function.count {
        let instruction = program.instructions[start + position]
        let target = try EBPFError.at(.instruction(start + position)) { () throws(EBPFError) in
          try resolve(instruction, at: position, of: function)
        }
        if let callee = target?.function, placed[callee] == nil {
          try append(callee, to: &program, &placed)
          // The same instruction again once the callee, and all that it calls, has its place.
          stack.append((index, position))
          stack.append((callee, 0))
          break
        }
        if let target { apply(target, at: start + position, &program, placed) }
        position += instruction.isWideLoad ? 2 : 1
      }
    }
  }

  /// Copies a function to the program's end, with what is attached to its instructions.
  private mutating func append(
    _ index: Int, to program: inout ProgramSpec, _ placed: inout [Int: Int]
  ) throws(EBPFError) {
    let function = code.functions[index]
    guard let section = code.sections[function.section] else { return }
    let start = program.instructions.count
    let bytes = function.start * 8..<function.end * 8
    let functionRecords = section.functionRecords.range(of: bytes)
    let lines = section.lineRecords.range(of: bytes)
    let records = section.coreRecords.range(of: bytes)
    budget -= function.count + lines.count + records.count
    guard budget >= 0 else {
      throw EBPFError(
        .tooLarge, "the programs, each with the functions it calls, are too large to keep",
        hint: "many programs call the same large functions; split the object")
    }
    placed[index] = start
    program.instructions += section.instructions[function.start..<function.end]
    let shift = start - function.start
    let type = section.functionRecords[functionRecords].first {
      Int($0.byteOffset) == bytes.lowerBound
    }
    program.functions.append(
      ProgramSpec.Function(
        start: start, count: function.count, name: function.name, typeID: type?.typeID ?? 0))
    for line in section.lineRecords[lines] {
      program.lines.append(
        ProgramSpec.Line(
          instruction: Int(line.byteOffset / 8) + shift, fileNameOffset: line.fileNameOffset,
          textOffset: line.textOffset, lineAndColumn: line.lineAndColumn))
    }
    for record in section.coreRecords[records] {
      guard let kind = CORERecord.Kind(rawValue: record.kind), let btf = parser.btf else {
        throw EBPFError(
          .unsupported, "CO-RE relocation kind \(record.kind) is not known",
          context: [.instruction(Int(record.byteOffset / 8) + shift)],
          hint: "kinds 0 to 12 are; the compiler is newer than this library")
      }
      program.relocations.append(
        CORERecord(
          instruction: Int(record.byteOffset / 8) + shift, typeID: record.typeID,
          access: try btf.shortString(at: record.accessOffset), kind: kind))
    }
  }

  private func apply(
    _ target: ResolvedRelocation, at position: Int, _ program: inout ProgramSpec,
    _ placed: [Int: Int]
  ) {
    switch target {
    case .call(let function), .address(let function):
      // Both are relative to the next instruction; positions are far below 2³¹.
      let distance = (placed[function] ?? 0) - position - 1
      program.instructions[position].immediate = Int32(truncatingIfNeeded: distance)
      if case .address = target {
        program.instructions[position].source = Instruction.Pseudo.function
      }
    case .reference(let reference):
      program.references.append(ProgramSpec.Reference(instruction: position, target: reference))
      program.instructions[position].prepare(for: reference)
      if case .mapValue(_, let offset) = reference {
        program.instructions[position + 1].immediate = Int32(bitPattern: offset)
      } else if case .configuration(_, let offset) = reference {
        program.instructions[position + 1].immediate = Int32(bitPattern: offset)
      }
    }
  }

  // MARK: - Where an instruction points

  private mutating func resolve(
    _ instruction: Instruction, at position: Int, of function: CodeFunction
  ) throws(EBPFError) -> ResolvedRelocation? {
    let isCall = instruction.isCall && instruction.source == Instruction.Pseudo.call
    guard instruction.isWideLoad || isCall || instruction.isCall else {
      return try refuseRelocation(at: function.start + position, in: function.section)
    }
    guard let section = code.sections[function.section] else { return nil }
    if instruction.isWideLoad, position + 1 >= function.count {
      throw EBPFError(.malformed, "a 64-bit load has no second half: the function ends")
    }
    let place = function.start + position
    if let relocation = section.relocation(at: place) {
      let symbol = try symbol(of: relocation)
      return try resolve(relocation, symbol, instruction)
    }
    if instruction.isWideLoad, instruction.source == Instruction.Pseudo.function {
      throw EBPFError(
        .malformed, "the address of a function is loaded, but no relocation says of which",
        context: [.offset(offset(of: place, section))])
    }
    guard isCall else { return nil }
    let target = place.addingReportingOverflow(Int(instruction.immediate) + 1).partialValue
    return .call(try callee(at: target, inSection: function.section))
  }

  /// A relocation of an instruction that holds no address.
  private func refuseRelocation(
    at place: Int, in index: Int
  ) throws(EBPFError) -> ResolvedRelocation? {
    guard let section = code.sections[index], let relocation = section.relocation(at: place) else {
      return nil
    }
    throw EBPFError(
      .malformed, "relocation type \(relocation.type) is for an instruction without an address",
      context: [.offset(offset(of: place, section))],
      hint: "only calls and 64-bit immediate loads can be relocated")
  }

  func offset(of place: Int, _ section: CodeSection) -> UInt64 {
    section.fileOffset.addingReportingOverflow(UInt64(place) * 8).partialValue
  }

  func callee(at target: Int, inSection index: Int) throws(EBPFError) -> Int {
    guard let function = code.function(at: target, inSection: index) else {
      throw EBPFError(
        .malformed,
        "the call goes to instruction \(target) of its section, where no function begins",
        context: [.section(parser.sectionNames[index])],
        hint: "the symbol table may have been stripped; do not run strip on a BPF object")
    }
    return function
  }

  private func symbol(of relocation: CodeSection.Relocation) throws(EBPFError) -> ELFFile.Symbol {
    guard let symbols = parser.symbols else {
      throw EBPFError(.malformed, "there are relocations but no symbols")
    }
    return try symbols.symbol(at: Int(relocation.symbol))
  }

  private func readExceptionCallbacks() throws(EBPFError) -> [UInt32: String] {
    guard let btf = parser.btf else { return [:] }
    var callbacks: [UInt32: String] = [:]
    let prefix = "exception_callback:"
    for id in btf.firstID..<btf.typeCount {
      let type = try btf.type(id)
      guard type.kind == .declarationTag, try btf.tagComponent(of: type) == -1 else { continue }
      let name = try btf.shortName(of: type)
      guard name.hasPrefix(prefix), try btf.type(type.referencedID).kind == .function else {
        continue
      }
      callbacks[type.referencedID] = String(name.dropFirst(prefix.count))
    }
    return callbacks
  }
}

extension Array where Element: BTFExtRecord {
  /// The indexes of the records for the given bytes; the array is sorted.
  fileprivate func range(of bytes: Range<Int>) -> Range<Int> {
    firstIndex(from: bytes.lowerBound)..<firstIndex(from: bytes.upperBound)
  }

  private func firstIndex(from byte: Int) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if Int(self[middle].byteOffset) < byte { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
