/// What in an object needs a kernel of some age, each thing once.
///
/// Only what is asked for is put into words: an object may have thousands of programs.
struct Requirements: Sendable {
  private enum Reason {
    case text(String)
    /// A program by name, and the section name's row that says what it is.
    case row(program: String, String)
    case type(program: String, ProgramType)

    var text: String {
      switch self {
      case .text(let text): text
      case .row(let program, let row): "program '\(program)' is \(row)"
      case .type(let program, let type): "program '\(program)' has type \(type.name)"
      }
    }
  }

  private var needs: [(version: KernelVersion, reason: Reason)] = []

  /// Newest first; equal ones by their text.
  var sorted: [ObjectReport.Requirement] {
    var versions: [String: KernelVersion] = [:]
    for need in needs {
      let text = need.reason.text
      versions[text] = max(versions[text] ?? need.version, need.version)
    }
    return versions.map { ObjectReport.Requirement(version: $0.value, reason: $0.key) }.sorted {
      $0.version != $1.version ? $0.version > $1.version : $0.reason < $1.reason
    }
  }

  /// The newest kernel that something needs, and what needs just that one.
  var newest: (version: KernelVersion, because: [String])? {
    guard let newest = needs.lazy.map(\.version).max() else { return nil }
    let reasons = needs.lazy.filter { $0.version == newest }.map(\.reason.text)
    return (newest, Set(reasons).sorted())
  }

  /// Nothing needs anything.
  init() {}

  init(_ object: ObjectFile, _ programs: [ObjectReport.Program]) {
    for map in object.maps where map.autocreate { add(map, object.btf) }
    var used = Used()
    // By index: a copy of a program counts a dozen references.
    for index in programs.indices where programs[index].spec.autoload {
      add(programs[index])
      used.add(programs[index])
    }
    add(used)
  }

  private mutating func need(_ version: KernelVersion?, _ reason: @autoclosure () -> String) {
    guard let version else { return }
    needs.append((version, .text(reason())))
  }

  // MARK: - Maps

  private mutating func add(_ map: MapSpec, _ btf: BTF?) {
    guard map.role == .map else {
      need(KernelVersion(5, 2), "global variables (section \(map.sectionName))")
      return
    }
    need(map.type.firstKernel, "map '\(map.name)' has type \(map.type.name)")
    if map.flags & DataSections.mappable != 0, map.type == .array {
      need(KernelVersion(5, 5), "map '\(map.name)' is mapped into memory")
    }
    if map.type == .structOps, map.flags & MapSpec.linkFlag != 0 {
      need(KernelVersion(6, 4), "map '\(map.name)' is registered by a link (.struct_ops.link)")
    }
    for inner in map.inner { add(inner, btf) }
    guard let btf, map.valueTypeID != 0 else { return }
    for (name, version) in Self.members(of: map.valueTypeID, btf) {
      need(version, "map '\(map.name)' holds a struct \(name)")
    }
  }

  /// Structs that the kernel treats specially when a map's value holds one.
  private static let special: [String: KernelVersion] = [
    "bpf_spin_lock": KernelVersion(5, 1), "bpf_timer": KernelVersion(5, 15),
    "bpf_list_head": KernelVersion(6, 2), "bpf_rb_root": KernelVersion(6, 3),
    "bpf_refcount": KernelVersion(6, 4), "bpf_wq": KernelVersion(6, 10),
  ]

  private static func members(of id: UInt32, _ btf: BTF) -> [(String, KernelVersion)] {
    var found: [(String, KernelVersion)] = []
    do throws(EBPFError) {
      let type = try btf.skipModifiers(id)
      guard type.kind == .structure, type.count <= 1024 else { return [] }
      let members = try btf.members(of: type)
      for index in members.indices {
        let member = try btf.skipModifiers(members[index].typeID)
        guard member.kind == .structure else { continue }
        let name = try btf.shortName(of: member)
        if let version = special[name] { found.append((name, version)) }
      }
    } catch {
      // Damaged types are findings of their own; they need no kernel.
      return found
    }
    return found
  }

  // MARK: - Programs

  private mutating func add(_ program: ObjectReport.Program) {
    if let row = program.section.row {
      if let version = row.firstKernel {
        needs.append((version, .row(program: program.spec.name, row.name)))
      }
    } else if let version = program.spec.type.firstKernel {
      needs.append((version, .type(program: program.spec.name, program.spec.type)))
    }
    if program.spec.instructions.count > 4096 {
      need(KernelVersion(5, 2), "program '\(program.spec.name)' has more than 4,096 instructions")
    }
  }

  /// What several programs may use alike.
  private struct Used {
    var helpers: [Int32] = []
    var kernelFunctions: Set<String> = []
    var kernelVariables: Set<String> = []
    var features: InstructionFeatures = []
    var callsFunctions = false
    private var lastHelpers: [Int32] = []

    mutating func add(_ program: ObjectReport.Program) {
      // Programs of one object mostly call the same.
      if program.helperIDs != lastHelpers {
        helpers += program.helperIDs
        lastHelpers = program.helperIDs
      }
      kernelFunctions.formUnion(program.kernelFunctions)
      features.formUnion(program.features)
      callsFunctions = callsFunctions || program.spec.functions.count > 1
      for reference in program.spec.references {
        if case .kernelVariable(let symbol, let typeID, _) = reference.target, typeID != 0 {
          kernelVariables.insert(symbol)
        }
      }
    }
  }

  private mutating func add(_ used: Used) {
    let helpers = used.helpers.sorted()
    for index in helpers.indices where index == 0 || helpers[index] != helpers[index - 1] {
      let id = helpers[index]
      need(
        HelperTable.firstKernel(of: id), "helper bpf_\(HelperTable.name(of: id) ?? "") is called")
    }
    for name in used.kernelFunctions {
      need(KernelVersion(5, 13), "kernel function \(name) is called")
    }
    for name in used.kernelVariables {
      need(KernelVersion(5, 10), "kernel variable \(name) is used by its type")
    }
    if used.callsFunctions {
      need(KernelVersion(4, 16), "functions of the object are called (bpf-to-bpf calls)")
    }
    for (feature, version, reason) in InstructionFeatures.all
    where used.features.contains(feature) {
      need(version, reason)
    }
  }
}
