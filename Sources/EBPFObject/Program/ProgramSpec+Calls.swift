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
  /// What the program before uses, so that what both use alike is kept once.
  struct Shared {
    fileprivate var helperIDs: [Int32] = []
    fileprivate var helpers: [String] = []
    fileprivate var maps: [String] = []
  }

  init(_ spec: ProgramSpec, in section: SectionName, _ shared: inout Shared) {
    self.spec = spec
    self.section = section
    let summary = InstructionSummary(spec.instructions)
    features = summary.features
    attachKind = section.attachKind
    instructionCount = spec.functions.first?.count ?? 0
    subprograms = spec.functions.dropFirst().map(\.name)
    if shared.helperIDs != summary.helpers {
      shared.helperIDs = summary.helpers
      shared.helpers = summary.helpers.map { HelperTable.name(of: $0) ?? "#\($0)" }
    }
    (helperIDs, helpers) = (shared.helperIDs, shared.helpers)
    kernelFunctions = spec.kernelFunctionCalls
    let used = spec.usedMaps
    if shared.maps != used { shared.maps = used }
    maps = shared.maps
  }
}
