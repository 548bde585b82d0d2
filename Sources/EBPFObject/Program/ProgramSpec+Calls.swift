extension ProgramSpec {
  /// The numbers of the helpers that the program or one of its subprograms calls, ascending.
  public var helperCalls: [Int32] { InstructionSummary(instructions).helpers }

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
        // A few names are sooner compared than hashed.
        if names.count <= 8 {
          if !names.contains(name) { names.append(name) }
        } else {
          if known.isEmpty { known = Set(names) }
          if known.insert(name).inserted { names.append(name) }
        }
      default: break
      }
    }
    return names
  }
}

extension ObjectReport.Program {
  /// `previous` is the program before: what both use alike is kept once.
  init(_ spec: ProgramSpec, in section: SectionName, after previous: ObjectReport.Program?) {
    self.spec = spec
    self.section = section
    let summary = InstructionSummary(spec.instructions)
    features = summary.features
    attachKind = section.attachKind
    instructionCount = spec.functions.first?.count ?? 0
    subprograms = spec.functions.dropFirst().map(\.name)
    if let previous, previous.helperIDs == summary.helpers {
      (helperIDs, helpers) = (previous.helperIDs, previous.helpers)
    } else {
      helperIDs = summary.helpers
      helpers = summary.helpers.map { HelperTable.name(of: $0) ?? "#\($0)" }
    }
    kernelFunctions = spec.kernelFunctionCalls
    let maps = spec.usedMaps
    self.maps = previous?.maps == maps ? previous?.maps ?? maps : maps
  }
}
