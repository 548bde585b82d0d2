/// An implementation of a kernel structure of functions (struct_ops) as one kernel lays it out.
///
/// An object declares the structure with the members it knows, in whatever order; the kernel's own BTF
/// says where each of them really is. Pure: no kernel is asked.
public struct StructOpsImage: Sendable, Hashable {
  /// A member that is a function, and the program that implements it.
  public struct Function: Sendable, Hashable {
    /// The member's name.
    public var member: String
    /// Its index in the kernel's structure: `expected_attach_type` of the program.
    public var index: UInt32
    /// Where the program's descriptor goes, in bytes from the start of ``StructOpsImage/value``.
    public var offset: Int
    /// The program, by name.
    public var program: String
  }

  /// What the kernel's structure that wraps an implementation is called, before the structure's name.
  public static let valuePrefix = "bpf_struct_ops_"

  /// The structure's name in the kernel: the object's up to a `___flavour`.
  public let structure: String
  /// Its id in the kernel's BTF: `attach_btf_id` of the programs.
  public let structureID: UInt32
  /// The id of the structure that wraps it, which the map's values have.
  public let valueTypeID: UInt32
  /// The map's value, with zeros where descriptors of programs go.
  public let value: [UInt8]
  /// The functions that are implemented.
  public let functions: [Function]

  /// Far more than any structure of the kernel has.
  private static let sizeLimit: UInt64 = 1 << 20

  /// The kernel's name of the structure that a map implements.
  public static func structure(
    of map: MapSpec, in local: BTF
  ) throws(EBPFError) -> String {
    let type = try local.skipModifiers(map.valueTypeID)
    let name = type.kind == .structure ? try local.name(of: type) : ""
    guard !name.isEmpty else {
      throw EBPFError(
        .malformed, "the variable is no structure with a name", context: [.map(map.name)],
        hint: "declare it as the kernel structure that it implements: struct tcp_congestion_ops")
    }
    return BTF.essentialName(name)
  }

  /// Lays a map's structure out.
  ///
  /// - Parameters:
  ///   - map: a struct_ops map.
  ///   - local: the object's types.
  ///   - kernel: the kernel's types, or those of a module, which continue them.
  ///   - valueTypeID: there, the structure `bpf_struct_ops_…`.
  public init(
    _ map: MapSpec, local: BTF, kernel: BTF, valueTypeID: UInt32
  ) throws(EBPFError) {
    structure = try Self.structure(of: map, in: local)
    self.valueTypeID = valueTypeID
    let wrapper = try kernel.type(valueTypeID)
    let size = try kernel.size(of: valueTypeID)
    guard size <= Self.sizeLimit else {
      throw EBPFError(
        .tooLarge, "the kernel's structure has \(size) bytes", context: [.map(map.name)])
    }
    guard let id = try kernel.firstID(named: structure, kind: .structure),
      let data = try kernel.members(of: wrapper).first(where: { $0.typeID == id }),
      data.bitOffset % 8 == 0
    else {
      throw EBPFError(
        .unsupported,
        "the kernel's struct \(Self.valuePrefix)\(structure) holds no struct \(structure)",
        context: [.map(map.name)])
    }
    structureID = id
    var layout = StructOpsLayout(
      map: map, local: local, kernel: kernel, start: Int(data.bitOffset / 8),
      value: [UInt8](repeating: 0, count: Int(size)))
    try layout.convert(
      from: try local.skipModifiers(map.valueTypeID), to: try kernel.type(id))
    value = layout.value
    functions = layout.functions
  }
}

/// The members of a structure on their way from the object's layout to the kernel's.
private struct StructOpsLayout {
  let map: MapSpec
  let local: BTF
  let kernel: BTF
  /// Where the kernel's structure begins in the value.
  let start: Int
  var value: [UInt8]
  var functions: [StructOpsImage.Function] = []

  mutating func convert(from ours: BTFType, to theirs: BTFType) throws(EBPFError) {
    var places: [String: Int] = [:]
    let kernelMembers = try kernel.members(of: theirs)
    for (index, member) in kernelMembers.enumerated() {
      let name = try kernel.string(at: member.nameOffset)
      if places[name] == nil { places[name] = index }
    }
    var unused = Set(map.slots.keys)
    for (index, member) in try local.members(of: ours).enumerated() {
      let name = try local.string(at: member.nameOffset)
      let slot = UInt32(clamping: index)
      unused.remove(slot)
      do throws(EBPFError) {
        if let place = places[name] {
          try convert(member, name, slot, to: kernelMembers[place], at: place)
        } else {
          try requireNothing(in: member, slot, of: theirs)
        }
      } catch { throw error.within(.other("member", name)).within(.map(map.name)) }
    }
    if let slot = unused.min() {
      throw EBPFError(
        .invalidArgument, "the structure has no member \(slot)", context: [.map(map.name)])
    }
  }

  private mutating func convert(
    _ ours: BTFMember, _ name: String, _ slot: UInt32, to theirs: BTFMember, at index: Int
  ) throws(EBPFError) {
    guard ours.bitFieldSize == 0, theirs.bitFieldSize == 0, ours.bitOffset % 8 == 0,
      theirs.bitOffset % 8 == 0
    else {
      throw EBPFError(.unsupported, "the member is a bit field, which cannot be converted")
    }
    let ourType = try local.skipModifiers(ours.typeID)
    let theirType = try kernel.skipModifiers(theirs.typeID)
    guard ourType.kind == theirType.kind else {
      throw EBPFError(
        .unsupported,
        "the member is \(try local.typeName(ours.typeID)) in the object, and "
          + "\(try kernel.typeName(theirs.typeID)) in the kernel")
    }
    let offset = start + Int(theirs.bitOffset / 8)
    if ourType.kind == .pointer {
      guard let target = map.slots[slot] else {
        guard try bytes(of: ours).allSatisfy({ $0 == 0 }) else {
          throw EBPFError(.unsupported, "the member is an address that is no program")
        }
        return
      }
      guard case .program(let program) = target, try kernel.isFunctionPointer(theirs.typeID) else {
        throw EBPFError(
          .unsupported,
          "the member is given a program, and is \(try kernel.typeName(theirs.typeID)) in the kernel"
        )
      }
      guard offset <= value.count - 8 else { throw outside() }
      functions.append(
        StructOpsImage.Function(
          member: name, index: UInt32(clamping: index), offset: offset, program: program))
      return
    }
    guard map.slots[slot] == nil else {
      throw EBPFError(.invalidArgument, "the member is given a program, and is no function")
    }
    let initial = try bytes(of: ours)
    let size = try kernel.size(of: theirs.typeID)
    guard UInt64(initial.count) == size else {
      throw EBPFError(
        .unsupported,
        "the member has \(initial.count) bytes in the object, and \(size) in the kernel",
        hint:
          "declare it as the kernel does: \(try kernel.declaration(of: theirs.typeID, name: name))"
      )
    }
    guard offset <= value.count - initial.count else { throw outside() }
    value.replaceSubrange(offset..<offset + initial.count, with: initial)
  }

  /// A member that the kernel lacks does no harm as long as it says nothing.
  private func requireNothing(
    in member: BTFMember, _ slot: UInt32, of type: BTFType
  ) throws(EBPFError) {
    guard map.slots[slot] == nil, try bytes(of: member).allSatisfy({ $0 == 0 }) else {
      throw EBPFError(
        .unsupported, "this kernel's struct \(try kernel.name(of: type)) has no such member",
        hint: "an object that leaves it zero loads; clear it before loading (MapSpec.contents, "
          + "MapSpec.slots)")
    }
  }

  private func bytes(of member: BTFMember) throws(EBPFError) -> ArraySlice<UInt8> {
    let offset = UInt64(member.bitOffset / 8)
    let size = try local.size(of: member.typeID)
    guard offset <= UInt64(map.contents.count), size <= UInt64(map.contents.count) - offset else {
      throw EBPFError(.malformed, "the member is outside of the map's contents")
    }
    return map.contents[Int(offset)..<Int(offset + size)]
  }

  private func outside() -> EBPFError {
    EBPFError(.malformed, "the member is outside of the kernel's structure")
  }
}
