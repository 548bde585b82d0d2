internal import EBPFSystem

/// A struct_ops map that will be made, and how this kernel has its structure.
struct StructOpsPlan {
  let image: StructOpsImage
  /// The BTF of the module that has the structure; nil for the kernel itself.
  let module: SharedDescriptor?
}

/// What a program implements: a member of a kernel structure.
struct StructOpsMember {
  let structure: String
  let structureID: UInt32
  let member: String
  let index: UInt32
  let module: SharedDescriptor?
}

extension ObjectLoader {
  /// Decides which kernel structures are implemented, lays them out as this kernel has them, and tells
  /// each of their programs its place. Programs that are in no structure are not loaded.
  mutating func prepareStructOps() throws(EBPFError) {
    let named = options.programs
    maps.removeAll { map in
      guard map.type == .structOps else { return !map.autocreate }
      let functions = map.slots.values.compactMap(\.program)
      return !map.autocreate || !functions.allSatisfy { named?.contains($0) ?? true }
    }
    guard maps.contains(where: { $0.type == .structOps }) else { return chooseFunctions() }
    let byName = Dictionary(object.programs.map { ($0.name, $0.type) }) { first, _ in first }
    for map in maps where map.type == .structOps { try plan(map, byName) }
    chooseFunctions()
  }

  private mutating func plan(
    _ map: MapSpec, _ programTypes: [String: ProgramType]
  ) throws(EBPFError) {
    guard structOps[map.name] == nil else { return }  // refused when maps are made
    guard let local = object.btf else {
      throw EBPFError(
        .malformed, "a kernel structure is implemented, but the object has no BTF",
        context: [.map(map.name)], hint: "compile with -g")
    }
    let structure = try StructOpsImage.structure(of: map, in: local)
    let target: KernelTypes.Target
    do throws(EBPFError) { target = try types.structOps(structure) } catch {
      throw error.within(.map(map.name))
    }
    let kernelTypes: BTF
    if let module = target.module {
      kernelTypes = module.types
    } else {
      kernelTypes = try types.vmlinux()
    }
    let image = try StructOpsImage(
      map, local: local, kernel: kernelTypes, valueTypeID: target.typeID)
    let module = try target.module.map { (module) throws(EBPFError) in
      SharedDescriptor(try types.open(module))
    }
    structOps[map.name] = StructOpsPlan(image: image, module: module)
    for function in image.functions {
      let member = StructOpsMember(
        structure: image.structure, structureID: image.structureID, member: function.member,
        index: function.index, module: module)
      try assign(member, to: function.program, programTypes, of: map)
    }
  }

  private mutating func assign(
    _ member: StructOpsMember, to name: String, _ programTypes: [String: ProgramType],
    of map: MapSpec
  ) throws(EBPFError) {
    guard let type = programTypes[name] else {
      throw EBPFError(
        .notFound, "member '\(member.member)' is '\(name)', which is no program of the object",
        context: [.map(map.name)],
        hint: NearNames.hintOrList(for: name, in: object.programs.map(\.name)))
    }
    guard type == .structOps else {
      throw EBPFError(
        .invalidArgument,
        "member '\(member.member)' is '\(name)', a program of type \(type)",
        context: [.map(map.name)], hint: "put it into a section SEC(\"struct_ops\")")
    }
    if let other = structOpsMembers[name],
      other.structureID != member.structureID || other.index != member.index
        || other.structure != member.structure
    {
      throw EBPFError(
        .invalidArgument,
        "program '\(name)' is \(other.structure).\(other.member) already, and cannot be "
          + "\(member.structure).\(member.member) as well",
        context: [.map(map.name)], hint: "write one function for each")
    }
    structOpsMembers[name] = member
  }

  /// Functions of structures load with their structures, whatever their sections' names say.
  private mutating func chooseFunctions() {
    let named = options.programs
    programs = object.programs.filter { program in
      guard program.type == .structOps else {
        return named?.contains(program.name) ?? program.autoload
      }
      return structOpsMembers[program.name] != nil || named?.contains(program.name) == true
    }
  }

  // MARK: The map

  func createStructOps(_ spec: MapSpec, _ plan: StructOpsPlan) throws(EBPFError) -> RawMap {
    guard let btf else {
      throw EBPFError(
        .unsupported, "the kernel did not take the object's BTF, which a struct_ops map needs",
        hint: warnings.last?.message)
    }
    var request = MapRequest(type: spec.type.rawValue)
    request.keySize = 4
    request.valueSize = UInt32(clamping: plan.image.value.count)
    request.maxEntries = 1
    request.flags = spec.flags
    request.name = spec.name
    request.btf = btf.number
    request.kernelValueTypeID = plan.image.valueTypeID
    request.kernelValueModule = plan.module?.number
    request.token = token?.descriptor.number
    let descriptor: OwnedDescriptor
    do throws(Errno) { descriptor = try kernel.createMap(request) } catch {
      throw EBPFError.creatingStructOps(spec, plan.image.structure, error)
    }
    return try RawMap(owning: descriptor, name: spec.name, kernel: kernel)
  }

  /// What can be registered, once the programs are there.
  func structOps(of loaded: [Program]) -> [StructOps] {
    let programs = Dictionary(loaded.map { ($0.name, $0) }) { first, _ in first }
    return maps.compactMap { spec in
      guard let plan = structOps[spec.name], let map = made[spec.name] else { return nil }
      let functions = plan.image.functions.compactMap { function in
        programs[function.program].map {
          StructOps.Function(member: function.member, offset: function.offset, program: $0)
        }
      }
      return StructOps(
        map: map, structure: plan.image.structure, image: plan.image.value, functions: functions,
        attachments: attachments)
    }
  }
}

extension MapSpec.SlotTarget {
  /// The program, if it is one.
  var program: String? { if case .program(let name) = self { name } else { nil } }
}
