/// Puts each program and the subprograms it reaches into one sequence of instructions.
///
/// Subprograms are appended in the order in which libbpf appends them, depth first at their first
/// call, so that the kernel computes the same tag for the same object.
struct Linker {
  let parser: ObjectParser
  let code: CodeSections
  let maps: MapTable
  let externs: ExternTable
  /// The global functions of `.text` by name.
  private let subprograms: [String: Int]
  /// Where in the program at hand each function is; -1 for one that is not in it.
  private var placed: [Int]
  /// The section names of the linked programs, in their order.
  private(set) var programSections: [SectionName] = []
  private var accesses = BTFStringCache()
  /// How much more all programs together may hold: shared subprograms must not multiply the file.
  private var budget: Int

  init(_ parser: ObjectParser, code: CodeSections, maps: MapTable, externs: ExternTable) {
    self.parser = parser
    self.code = code
    self.maps = maps
    self.externs = externs
    var subprograms: [String: Int] = [:]
    for (index, function) in code.functions.enumerated()
    where function.isGlobal && function.section == code.textIndex {
      subprograms[function.name] = index
    }
    self.subprograms = subprograms
    placed = [Int](repeating: -1, count: code.functions.count)
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
    var programs: [ProgramSpec] = []
    programs.reserveCapacity(code.functions.count)
    for index in code.functions.indices where !isSubprogram(code.functions[index]) {
      let function = code.functions[index]
      let program = try findings.attempt { () throws(EBPFError) in
        try EBPFError.at(.section(parser.sectionNames[function.section])) {
          () throws(EBPFError) in
          try EBPFError.at(.program(function.name)) { () throws(EBPFError) in try link(index) }
        }
      }
      guard let program else { continue }
      programs.append(program.spec)
      programSections.append(program.section)
    }
    return programs
  }

  /// The BTF ids of hidden global functions.
  var hiddenFunctionIDs: [UInt32] {
    code.functions.filter(\.isHidden).compactMap { function in
      typeID(of: function).flatMap { $0 == 0 ? nil : $0 }
    }
  }

  /// The `FUNC` type that function information gives to a function.
  private func typeID(of function: CodeFunction) -> UInt32? {
    guard let section = code[function.section] else { return nil }
    return typeID(of: function, section)
  }

  private func typeID(of function: CodeFunction, _ section: CodeSection) -> UInt32? {
    let records = section.functionRecords
    let start = function.start * 8
    return records[records.range(of: start..<start + 1)].first?.typeID
  }

  // MARK: - One program

  private mutating func link(
    _ main: Int
  ) throws(EBPFError) -> (spec: ProgramSpec, section: SectionName) {
    let function = code.functions[main]
    let section = SectionName(parser.sectionNames[function.section])
    var program = ProgramSpec(
      name: function.name, sectionName: section.text, type: section.programType,
      attachType: section.attachType, attachTarget: section.target)
    program.flags = section.loadFlags
    program.autoload = section.autoload
    var members: [Int] = []
    defer { for member in members { placed[member] = -1 } }
    try append(main, to: &program, &members)
    try link(from: main, &program, &members)
    if let name = parser.types?.exceptionCallbacks[program.functions[0].typeID] {
      guard let callback = subprograms[name] else {
        throw EBPFError(
          .unresolved, "the exception callback '\(name)' is not a global function of .text",
          context: [.symbol(name)])
      }
      if placed[callback] < 0 {
        try append(callback, to: &program, &members)
        try link(from: callback, &program, &members)
      }
    }
    program.references.sort { $0.instruction < $1.instruction }
    return (program, section)
  }

  /// Goes through a function's instructions, appending what it calls before going on.
  private mutating func link(
    from first: Int, _ program: inout ProgramSpec, _ members: inout [Int]
  ) throws(EBPFError) {
    var stack = [(function: first, next: 0)]
    while let (index, next) = stack.popLast() {
      let function = code.functions[index]
      let start = placed[index]
      guard start >= 0, let section = code[function.section] else { continue }
      var position = next
      var relocation = section.firstRelocation(from: function.start + position)
      while true {
        let place = section.nextAddress(
          from: function.start + position, before: function.end, &relocation)
        guard let place else { break }
        position = place.instruction - function.start
        let instruction = program.instructions[start + position]
        let target = try EBPFError.at(.instruction(start + position)) { () throws(EBPFError) in
          try resolve(instruction, at: position, of: function, section, place.relocation)
        }
        if let callee = target?.function, placed[callee] < 0 {
          try append(callee, to: &program, &members)
          // The same instruction again once the callee, and all that it calls, has its place.
          stack.append((index, position))
          stack.append((callee, 0))
          break
        }
        if let target { apply(target, at: start + position, &program) }
        position += instruction.isWideLoad ? 2 : 1
      }
    }
  }

  /// Copies a function to the program's end, with what is attached to its instructions.
  private mutating func append(
    _ index: Int, to program: inout ProgramSpec, _ members: inout [Int]
  ) throws(EBPFError) {
    let function = code.functions[index]
    guard let section = code[function.section] else { return }
    let start = program.instructions.count
    let bytes = function.start * 8..<function.end * 8
    let lines = section.lineRecords.range(of: bytes)
    let records = section.coreRecords.range(of: bytes)
    budget -= function.count + lines.count + records.count
    guard budget >= 0 else {
      throw EBPFError(
        .tooLarge, "the programs, each with the functions it calls, are too large to keep",
        hint: "many programs call the same large functions; split the object")
    }
    placed[index] = start
    members.append(index)
    let instructions = try section.instructions(from: function.start, before: function.end)
    if start == 0 {
      program.instructions = instructions
    } else {
      program.instructions += instructions
    }
    let shift = start - function.start
    program.functions.append(
      ProgramSpec.Function(
        start: start, count: function.count, name: function.name,
        typeID: typeID(of: function, section) ?? 0))
    if start == 0 {
      program.lines.reserveCapacity(lines.count)
      program.relocations.reserveCapacity(records.count)
    }
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
          access: try accesses.string(at: record.accessOffset, in: btf), kind: kind))
    }
  }

  private func apply(
    _ target: ResolvedRelocation, at position: Int, _ program: inout ProgramSpec
  ) {
    switch target {
    case .call(let function), .address(let function):
      // Both are relative to the next instruction; positions are far below 2³¹.
      let distance = max(0, placed[function]) - position - 1
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

  private func resolve(
    _ instruction: Instruction, at position: Int, of function: CodeFunction,
    _ section: CodeSection, _ relocation: CodeSection.Relocation?
  ) throws(EBPFError) -> ResolvedRelocation? {
    let place = function.start + position
    guard instruction.isWideLoad || instruction.isCall else {
      guard let relocation else { return nil }
      throw EBPFError(
        .malformed, "relocation type \(relocation.type) is for an instruction without an address",
        context: [.offset(offset(of: place, section))],
        hint: "only calls and 64-bit immediate loads can be relocated")
    }
    if instruction.isWideLoad, position + 1 >= function.count {
      throw EBPFError(.malformed, "a 64-bit load has no second half: the function ends")
    }
    if let relocation {
      let symbol = try symbol(of: relocation)
      return try resolve(relocation, symbol, instruction)
    }
    if instruction.isWideLoad, instruction.source == Instruction.Pseudo.function {
      throw EBPFError(
        .malformed, "the address of a function is loaded, but no relocation says of which",
        context: [.offset(offset(of: place, section))])
    }
    guard instruction.isCall, instruction.source == Instruction.Pseudo.call else { return nil }
    let target = place.addingReportingOverflow(Int(instruction.immediate) + 1).partialValue
    return .call(try callee(at: target, inSection: function.section))
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
