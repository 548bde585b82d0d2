internal import EBPFSystem

extension ObjectLoader {
  // MARK: References

  /// Replaces names in instructions by descriptors, ids and addresses.
  mutating func patchReferences() throws(EBPFError) {
    for index in programs.indices {
      let name = programs[index].name
      var instructions = programs[index].instructions
      for (number, reference) in programs[index].references.enumerated() {
        do throws(EBPFError) {
          try patch(&instructions, reference, number: number, program: name)
        } catch {
          throw error.within(.instruction(reference.instruction)).within(.program(name))
        }
      }
      programs[index].instructions = instructions
    }
  }

  private mutating func patch(
    _ instructions: inout [Instruction], _ reference: ProgramSpec.Reference, number: Int,
    program: String
  ) throws(EBPFError) {
    let index = reference.instruction
    guard instructions.indices.contains(index) else {
      throw EBPFError(.malformed, "a reference lies outside of the program")
    }
    switch reference.target {
    case .map(let name):
      try load(
        &instructions, index, Instruction.Pseudo.mapFD, try map(named: name).fileDescriptor, 0)
    case .mapValue(let name, let offset):
      try load(
        &instructions, index, Instruction.Pseudo.mapValue, try map(named: name).fileDescriptor,
        Int32(bitPattern: offset))
    case .configuration(_, let offset):
      guard let spec = maps.first(where: { $0.role == .kernelConfiguration }) else {
        throw EBPFError(.malformed, "the object has no map for configuration variables")
      }
      try load(
        &instructions, index, Instruction.Pseudo.mapValue,
        try map(named: spec.name).fileDescriptor, Int32(bitPattern: offset))
    case .kernelVariable(let name, _, _), .kernelFunction(let name, _, _):
      guard let symbol = externs.symbols[name] else {
        throw EBPFError(.unresolved, "'\(name)' was not resolved", context: [.symbol(name)])
      }
      if instructions[index].isCall {
        try call(&instructions[index], symbol, name, number: number, program: program, at: index)
      } else {
        try load(&instructions, index, symbol)
      }
    }
  }

  private func map(named name: String) throws(EBPFError) -> RawMap {
    guard let map = made[name] else {
      throw EBPFError(
        .notFound, "the program refers to map '\(name)', which the object does not have",
        context: [.map(name)])
    }
    return map
  }

  private func load(
    _ instructions: inout [Instruction], _ index: Int, _ pseudo: UInt8, _ low: Int32, _ high: Int32
  ) throws(EBPFError) {
    guard instructions[index].isWideLoad, instructions.indices.contains(index + 1) else {
      throw EBPFError(.malformed, "a reference must be a 64-bit immediate load")
    }
    instructions[index].source = pseudo
    instructions[index].immediate = low
    instructions[index + 1].immediate = high
  }

  private func load(
    _ instructions: inout [Instruction], _ index: Int, _ symbol: ResolvedExterns.Symbol
  ) throws(EBPFError) {
    switch symbol {
    case .address(let address):
      try load(
        &instructions, index, 0, Int32(truncatingIfNeeded: address),
        Int32(truncatingIfNeeded: address >> 32))
    case .type(let id, let module):
      try load(
        &instructions, index, Instruction.Pseudo.btfID, Int32(bitPattern: id),
        module.map { externs.modules[$0].number } ?? 0)
    }
  }

  private mutating func call(
    _ instruction: inout Instruction, _ symbol: ResolvedExterns.Symbol, _ name: String,
    number: Int, program: String, at index: Int
  ) throws(EBPFError) {
    switch symbol {
    case .address:
      // A weak function that is missing: fine as long as the program tests for it first.
      instruction.source = 0
      instruction.immediate = Unresolved.kernelFunction + Int32(clamping: number)
      sentences[program, default: [:]][index] =
        "this kernel has no function '\(name)'; the program calls it without testing for it first"
    case .type(let id, let module):
      instruction.source = Instruction.Pseudo.kernelFunction
      instruction.immediate = Int32(bitPattern: id)
      // Index 0 of the descriptor array stands for the kernel itself.
      instruction.offset = Int16(clamping: (module ?? -1) + 1)
    }
  }

  // MARK: Loading

  mutating func loadPrograms() throws(EBPFError) -> [Program] {
    findTargets()
    // Programs that attach to others of the object come after those, one by one.
    let last = programs.indices.filter { dependsOnOther(programs[$0]) }
    let first = programs.indices.filter { !last.contains($0) }
    var loaded: [Int: Program] = [:]
    for group in [first] + last.map({ [$0] }) {
      let made = try load(group.map { programs[$0] }, after: Array(loaded.values))
      for (index, program) in zip(group, made) { loaded[index] = program }
    }
    return programs.indices.compactMap { loaded[$0] }
  }

  /// Loads programs that do not depend on each other, side by side.
  private mutating func load(
    _ specs: [ProgramSpec], after others: [Program]
  ) throws(EBPFError) -> [Program] {
    var attempts: [ProgramAttempt] = []
    for spec in specs {
      attempts.append(
        try EBPFError.at(.program(spec.name)) { () throws(EBPFError) in
          try delegating(Self.delegation(of: spec)) { () throws(EBPFError) in
            try prepare(spec, after: others)
          }
        })
    }
    let outcomes = ProgramAttempt.run(attempts, kernel: kernel, logLevel: options.logLevel)
    for (attempt, outcome) in zip(attempts, outcomes) { logs[attempt.spec.name] = outcome.log }
    var loaded: [Program] = []
    for (attempt, outcome) in zip(attempts, outcomes) {
      do throws(EBPFError) {
        loaded.append(
          try delegating(Self.delegation(of: attempt.spec)) { () throws(EBPFError) in
            try outcome.program.get()
          })
      } catch { throw error.within(.program(attempt.spec.name)) }
    }
    return loaded
  }

  private static func delegation(of spec: ProgramSpec) -> String {
    spec.attachType.rawValue == 0
      ? "delegate_cmds=prog_load and delegate_progs=\(spec.type)"
      : "delegate_cmds=prog_load, delegate_progs=\(spec.type) and "
        + "delegate_attachs=\(spec.attachType)"
  }

  private func prepare(
    _ original: ProgramSpec, after others: [Program]
  ) throws(EBPFError) -> ProgramAttempt {
    var spec = original
    guard spec.type != .unspecified else {
      throw EBPFError(
        .invalidArgument, "section '\(spec.sectionName)' does not say what type of program this is",
        hint: SectionName(spec.sectionName).suggestion.map { "did you mean SEC(\"\($0)\")?" }
          ?? "set the program's type before loading")
    }
    // One link for all places of a probe takes no CAP_SYS_ADMIN, where the kernel has such links.
    if spec.attachType.rawValue == 0, spec.type == .kprobe,
      SectionName(spec.sectionName).row?.attachKind == .usdt,
      features.userProbesMulti.verdict == .yes
    {
      spec.attachType = .traceUprobeMulti
    }
    var request = ProgramRequest(type: spec.type.rawValue)
    request.attachType = spec.attachType.rawValue
    request.name = spec.name
    request.license = object.license
    request.flags = spec.flags
    request.kernelVersion = object.version
    request.token = token?.descriptor.number
    addTypes(&request, spec)
    if !externs.modules.isEmpty { request.descriptors = [0] + externs.modules.map(\.number) }
    let target = try addTarget(&request, &spec, among: others)
    var rejection = ProgramRejection(
      spec, request: request, sentences: sentences[spec.name] ?? [:], logLimit: options.logLimit,
      features: features)
    rejection.target = target?.declaration
    return ProgramAttempt(
      spec: spec, rejection: rejection, target: target,
      constants: maps.filter { $0.role == .readOnlyData }.compactMap { made[$0.name] },
      attachments: attachments)
  }

  /// Function and line information, which refer to the object's BTF.
  private func addTypes(_ request: inout ProgramRequest, _ spec: ProgramSpec) {
    guard let btf, hasFunctionTypes else { return }
    guard !spec.functions.isEmpty, spec.functions.allSatisfy({ $0.typeID != 0 }) else { return }
    request.btf = btf.number
    for function in spec.functions {
      Self.append(UInt32(clamping: function.start), to: &request.functionInformation)
      Self.append(function.typeID, to: &request.functionInformation)
    }
    request.lineInformation.reserveCapacity(16 * spec.lines.count)
    for line in spec.lines {
      Self.append(UInt32(clamping: line.instruction), to: &request.lineInformation)
      Self.append(line.fileNameOffset, to: &request.lineInformation)
      Self.append(line.textOffset, to: &request.lineInformation)
      Self.append(line.lineAndColumn, to: &request.lineInformation)
    }
  }
}
