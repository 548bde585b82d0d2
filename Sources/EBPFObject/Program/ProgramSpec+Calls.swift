extension ProgramSpec {
  /// The numbers of the helpers that the program or one of its subprograms calls, ascending.
  public var helperCalls: [Int32] {
    var ids: Set<Int32> = []
    forEachInstruction { _, instruction in
      if instruction.isCall, instruction.source == 0 { ids.insert(instruction.immediate) }
    }
    return ids.sorted()
  }

  /// The kernel functions that the program or one of its subprograms calls, in order of first call.
  public var kernelFunctionCalls: [String] {
    var names: [String] = []
    var known: Set<String> = []
    for reference in references {
      guard case .kernelFunction(let name, _, _) = reference.target else { continue }
      guard instructions.indices.contains(reference.instruction),
        instructions[reference.instruction].isCall, known.insert(name).inserted
      else { continue }
      names.append(name)
    }
    return names
  }

  /// The maps that the program or one of its subprograms uses, in order of first use.
  public var usedMaps: [String] {
    var names: [String] = []
    var known: Set<String> = []
    for reference in references {
      switch reference.target {
      case .map(let name), .mapValue(let name, _):
        if known.insert(name).inserted { names.append(name) }
      default: break
      }
    }
    return names
  }

  /// Calls `body` with each instruction, and not with the second halves of 64-bit loads.
  func forEachInstruction(_ body: (Int, Instruction) -> Void) {
    var index = 0
    while index < instructions.count {
      body(index, instructions[index])
      index += instructions[index].isWideLoad ? 2 : 1
    }
  }
}

extension ObjectReport.Program {
  init(_ spec: ProgramSpec, in object: ObjectFile) {
    self.spec = spec
    attachKind = SectionName(spec.sectionName).attachKind
    instructionCount = spec.functions.first?.count ?? 0
    subprograms = spec.functions.dropFirst().map(\.name)
    helpers = spec.helperCalls.map { HelperTable.name(of: $0) ?? "#\($0)" }
    kernelFunctions = spec.kernelFunctionCalls
    maps = spec.usedMaps
  }
}
