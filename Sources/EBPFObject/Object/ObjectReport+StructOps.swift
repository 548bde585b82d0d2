// Kernel structures of functions that an object implements.

extension ObjectReport {
  /// One struct_ops map.
  public struct StructOps: Sendable, Hashable {
    /// The map, by name.
    public var map: String
    /// The kernel structure.
    public var structure: String
    /// Its members that are programs, and which, in the object's order.
    public var functions: [Function]
    /// Whether it is registered by a link (section `.struct_ops.link`).
    public var hasLink: Bool
    /// Whether it is made without being asked for (no leading `?`).
    public var autocreate: Bool
  }

  /// A member that is a program.
  public struct Function: Sendable, Hashable {
    /// The member.
    public var member: String
    /// The program.
    public var program: String
  }

  /// True when there are kernel structures to lay out: they need a kernel's types.
  public var hasStructOps: Bool { !structOps.isEmpty }

  /// Which members of which structures programs are, by program: `tcp_congestion_ops.init`.
  public var structOpsMembers: [String: [String]] {
    var found: [String: [String]] = [:]
    for ops in structOps {
      for function in ops.functions {
        let member = "\(ops.structure).\(function.member)"
        // Structures often share their functions; none has many places.
        if found[function.program]?.last != member {
          found[function.program, default: []].append(member)
        }
      }
    }
    return found
  }

  mutating func describeStructOps(_ object: ObjectFile) {
    guard let btf = object.btf else { return }
    for map in object.maps where map.type == .structOps {
      let described = attempt { () throws(EBPFError) in
        let type = try btf.skipModifiers(map.valueTypeID)
        let structure = try StructOpsImage.structure(of: map, in: btf)
        let members = try btf.members(of: type)
        var functions: [Function] = []
        for (slot, target) in map.slots.sorted(by: { $0.key < $1.key }) {
          guard case .program(let program) = target, Int(slot) < members.count else { continue }
          functions.append(
            Function(
              member: try btf.string(at: members[Int(slot)].nameOffset), program: program))
        }
        return StructOps(
          map: map.name, structure: structure, functions: functions,
          hasLink: map.flags & MapSpec.linkFlag != 0, autocreate: map.autocreate)
      }
      if let described { structOps.append(described) }
    }
    checkFunctions(object)
  }

  /// What a load would refuse whatever the kernel.
  private mutating func checkFunctions(_ object: ObjectFile) {
    guard !structOps.isEmpty || object.programs.contains(where: { $0.type == .structOps }) else {
      return
    }
    var used: Set<String> = []
    for ops in structOps { used.formUnion(ops.functions.map(\.program)) }
    for program in object.programs {
      let places: [EBPFError.Context] = [.section(program.sectionName), .program(program.name)]
      if program.type == .structOps, !used.contains(program.name) {
        add(
          .warning,
          EBPFError(
            .invalidArgument, "the program is a member of no kernel structure, so it is not loaded",
            context: places, hint: "name it in a variable of section .struct_ops.link"))
      } else if program.type != .structOps, used.contains(program.name) {
        add(
          .error,
          EBPFError(
            .invalidArgument,
            "the program is a member of a kernel structure, and has type \(program.type)",
            context: places, hint: "put it into a section SEC(\"struct_ops\")"))
      }
    }
  }

  /// Lays the structures out as a kernel has them; what that kernel would refuse is a warning, because
  /// another may have it.
  mutating func layOutStructOps(against targets: [BTF]) {
    lacksStructOps = false
    guard let object, let local = object.btf, object.isNativeOrder, !targets.isEmpty else { return }
    for map in object.maps where map.type == .structOps && map.autocreate {
      do throws(EBPFError) {
        let structure = try StructOpsImage.structure(of: map, in: local)
        guard let (types, id) = try Self.wrapper(of: structure, in: targets) else {
          lacksStructOps = true
          throw EBPFError(
            .notFound, "this kernel has no struct \(structure) that programs can implement",
            context: [.map(map.name)])
        }
        _ = try StructOpsImage(map, local: local, kernel: types, valueTypeID: id)
      } catch {
        add(.warning, error.within(.section(map.sectionName)))
      }
    }
  }

  private static func wrapper(
    of structure: String, in targets: [BTF]
  ) throws(EBPFError) -> (BTF, UInt32)? {
    for types in targets {
      let name = StructOpsImage.valuePrefix + structure
      if let id = try types.firstID(named: name, kind: .structure) { return (types, id) }
    }
    return nil
  }
}
