/// What in an object needs a kernel of some age, each thing once.
struct Requirements {
  private var versions: [String: KernelVersion] = [:]

  /// Newest first; equal ones by their text.
  var sorted: [ObjectReport.Requirement] {
    versions.map { ObjectReport.Requirement(version: $0.value, reason: $0.key) }.sorted {
      $0.version != $1.version ? $0.version > $1.version : $0.reason < $1.reason
    }
  }

  init(_ object: ObjectFile, _ programs: [ObjectReport.Program]) {
    for map in object.maps { add(map, object.btf) }
    for program in programs where program.spec.autoload { add(program) }
  }

  private mutating func need(_ version: KernelVersion?, _ reason: String) {
    guard let version else { return }
    versions[reason] = max(versions[reason] ?? version, version)
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
      for member in try btf.members(of: type) {
        let member = try btf.skipModifiers(member.typeID)
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
    let spec = program.spec
    let name = "program '\(spec.name)'"
    if let row = SectionName(spec.sectionName).row {
      need(row.firstKernel, "\(name) is \(row.name)")
    } else {
      need(spec.type.firstKernel, "\(name) has type \(spec.type.name)")
    }
    for id in spec.helperCalls {
      need(
        HelperTable.firstKernel(of: id), "helper bpf_\(HelperTable.name(of: id) ?? "") is called")
    }
    for function in spec.kernelFunctionCalls {
      need(KernelVersion(5, 13), "kernel function \(function) is called")
    }
    for reference in spec.references {
      if case .kernelVariable(let symbol, let typeID, _) = reference.target, typeID != 0 {
        need(KernelVersion(5, 10), "kernel variable \(symbol) is used by its type")
      }
    }
    if spec.functions.count > 1 {
      need(KernelVersion(4, 16), "functions of the object are called (bpf-to-bpf calls)")
    }
    if spec.instructions.count > 4096 {
      need(KernelVersion(5, 2), "\(name) has more than 4,096 instructions")
    }
    spec.forEachInstruction { _, instruction in
      if let (version, reason) = instruction.requirement { need(version, reason) }
    }
  }
}

extension Instruction {
  /// What this instruction needs beyond the first instruction set.
  ///
  /// Sources: `Documentation/bpf/standardization/instruction-set.rst` and the releases in which the
  /// verifier learnt each.
  fileprivate var requirement: (KernelVersion, String)? {
    let v4 = (KernelVersion(6, 6), "instructions of version 4 are used (-mcpu=v4)")
    let (operation, usesRegister) = (opcode & 0xf0, opcode & 0x08 != 0)
    switch opcode & 0x07 {
    case 0x00:
      guard isWideLoad, source == Pseudo.function else { return nil }
      return (KernelVersion(5, 13), "a function's address is taken (callbacks)")
    case 0x01:
      return opcode & 0xe0 == 0x80 ? v4 : nil
    case 0x03 where opcode & 0xe0 == 0xc0:
      switch immediate {
      case 0: return nil
      case 0x100, 0x110:
        return (KernelVersion(6, 15), "load-acquire or store-release is used")
      default:
        return (KernelVersion(5, 12), "atomic operations beyond addition are used")
      }
    case 0x04, 0x07:
      if operation == 0xb0, usesRegister, opcode & 0x07 == 0x07, offset == 1 {
        return (KernelVersion(6, 9), "addresses are cast between address spaces (arena)")
      }
      let isSigned = offset != 0 && [0x30, 0x90, 0xb0].contains(operation)
      return isSigned || opcode == 0xd7 ? v4 : nil
    case 0x05, 0x06:
      if opcode == 0x06 { return v4 }
      if opcode == 0xe5 { return (KernelVersion(6, 9), "may_goto is used") }
      if operation == 0x80 || operation == 0x90 { return nil }
      if offset < 0 { return (KernelVersion(5, 3), "loops are used") }
      if opcode & 0x07 == 0x06 {
        return (KernelVersion(5, 1), "32-bit jumps are used (-mcpu=v3)")
      }
      return operation >= 0xa0
        ? (KernelVersion(4, 14), "unsigned and signed less-than jumps are used (-mcpu=v2)") : nil
    default: return nil
    }
  }
}
