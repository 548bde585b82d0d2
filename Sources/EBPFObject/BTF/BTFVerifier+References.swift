// What types refer to: the right kinds, without cycles, and members that fit.

extension BTFVerifier {
  /// Which references count as nesting: a struct may point to itself, but not contain itself.
  private enum Mode {
    case undecided, pointer, composite
  }

  mutating func checkReferences(_ id: UInt32) throws(EBPFError) {
    let type = try btf.type(id)
    switch type.kind {
    case .pointer, .typedef, .const, .volatile, .restrict, .typeTag, .structure, .union, .array,
      .variable, .dataSection:
      try follow(id, .undecided, depth: 0)
    case .functionPrototype: try checkPrototype(type)
    case .function: try checkFunction(type)
    case .declarationTag: try checkTag(type)
    default: break
    }
    if type.kind.isModifier || type.kind == .typedef { try checkTagOrder(type) }
  }

  private mutating func follow(_ id: UInt32, _ mode: Mode, depth: Int) throws(EBPFError) {
    let type = try btf.type(id)
    guard id >= btf.firstID else { return }
    let place = Int(id - btf.firstID)
    guard states[place] != .done else { return }
    guard states[place] == .new else { throw bad(type, "it contains itself") }
    guard depth < BTF.depthLimit else { throw bad(type, "nested more than 32 deep") }
    states[place] = .active
    // After an error the type stays active; the kernel stops at the first anyway.
    var mode = mode
    if mode == .undecided {
      if type.kind == .pointer { mode = .pointer }
      if type.kind.isComposite || type.kind == .array { mode = .composite }
    }
    switch type.kind {
    case .pointer, .typedef, .const, .volatile, .restrict, .typeTag:
      let next = try target(type.sizeOrType, of: type)
      try descend(next, mode, depth)
      let base = try skipAll(next)
      guard hasSize(base) || [.void, .forward, .functionPrototype].contains(base.kind) else {
        throw bad(type, "it refers to a \(base.kind)")
      }
    case .variable:
      let next = try target(type.sizeOrType, of: type)
      try descend(next, mode, depth)
      guard try hasSize(skipAll(next)) else { throw bad(type, "its type has no size") }
    case .array:
      try followArray(type, mode, depth)
    case .structure, .union:
      let members = try btf.members(of: type)
      for index in members.indices {
        let member = members[index]
        let next = try target(member.typeID, of: type)
        try descend(next, mode, depth)
        try checkMember(index, member, of: type)
      }
    case .dataSection:
      let rows = try btf.variables(of: type)
      for index in rows.indices {
        let row = rows[index]
        let variable = try known(row.typeID, of: type)
        guard variable.kind == .variable else {
          throw bad(type, "entry \(index) is a \(variable.kind), not a variable")
        }
        try descend(variable, mode, depth)
        guard try btf.size(of: variable.sizeOrType) <= UInt64(row.size) else {
          throw bad(type, "variable \(index) is larger than its place")
        }
      }
    default: break
    }
    states[place] = .done
  }

  private mutating func descend(_ next: BTFType, _ mode: Mode, _ depth: Int) throws(EBPFError) {
    let isModifier = next.kind.isModifier || next.kind == .typedef
    let goesOn: Bool
    switch mode {
    case .undecided:
      goesOn =
        isModifier || next.kind == .pointer || next.kind.isComposite || next.kind == .array
        || next.kind == .variable || next.kind == .dataSection
    case .pointer: goesOn = isModifier || next.kind == .pointer
    case .composite: goesOn = isModifier || next.kind.isComposite || next.kind == .array
    }
    if goesOn { try follow(next.id, mode, depth: depth + 1) }
  }

  private mutating func followArray(
    _ type: BTFType, _ mode: Mode, _ depth: Int
  ) throws(EBPFError) {
    let array = try btf.array(of: type)
    let index = try target(array.indexID, of: type)
    try descend(index, mode, depth)
    guard try isRegularInteger(skipAll(index)) else { throw bad(type, "its index type") }
    let element = try target(array.elementID, of: type)
    try descend(element, mode, depth)
    let base = try skipAll(element)
    guard hasSize(base) else { throw bad(type, "its element has no size") }
    if base.kind == .int {
      guard try isRegularInteger(base) else { throw bad(type, "an array of bit ranges") }
    }
    // `size(of:)` throws for more than 4 GiB.
    _ = try btf.size(of: type.id)
  }

  private func checkMember(
    _ index: Int, _ member: BTFMember, of type: BTFType
  ) throws(EBPFError) {
    let base = try skipAll(btf.type(member.typeID))
    let start = UInt64(member.bitOffset)
    let bits: UInt64
    switch base.kind {
    case .int:
      let integer = try btf.integer(of: base)
      if type.kindFlag {
        guard try isRegularInteger(base) else { throw bad(type, "member \(index)'s base type") }
        guard member.bitFieldSize != 0 || start % 8 == 0, member.bitFieldSize <= integer.bitCount
        else { throw bad(type, "member \(index)'s width or place") }
        bits = UInt64(member.bitFieldSize == 0 ? integer.bitCount : member.bitFieldSize)
      } else {
        bits = UInt64(integer.bitOffset) + UInt64(integer.bitCount)
      }
      guard bits + start % 8 <= 128 else { throw bad(type, "member \(index) is too wide") }
    case .enumeration, .enumeration64:
      if type.kindFlag {
        guard member.bitFieldSize != 0 || start % 8 == 0, member.bitFieldSize <= 32 else {
          throw bad(type, "member \(index)'s width or place")
        }
        bits = member.bitFieldSize == 0 ? 32 : UInt64(member.bitFieldSize)
      } else {
        guard start % 8 == 0 else { throw bad(type, "member \(index) is not on a byte") }
        bits = UInt64(base.size) * 8
      }
    case .float:
      guard member.bitFieldSize == 0, start % (min(8, UInt64(base.size)) * 8) == 0 else {
        throw bad(type, "member \(index) is not aligned")
      }
      bits = UInt64(base.size) * 8
    case .pointer, .array, .structure, .union:
      guard member.bitFieldSize == 0, start % 8 == 0 else {
        throw bad(type, "member \(index) is not on a byte")
      }
      bits = try btf.size(of: base.id) * 8
    default:
      throw bad(type, "member \(index) is a \(base.kind)")
    }
    guard start / 8 + (bits + start % 8 + 7) / 8 <= UInt64(type.size) else {
      throw bad(type, "member \(index) is past the end")
    }
  }

  private mutating func checkPrototype(_ type: BTFType) throws(EBPFError) {
    if type.sizeOrType != 0 {
      guard try isValue(type.sizeOrType, of: type) else { throw bad(type, "its result type") }
    }
    let parameters = try btf.parameters(of: type)
    for index in parameters.indices {
      let parameter = parameters[index]
      if parameter.typeID == 0, index == parameters.count - 1, parameter.nameOffset == 0 { return }
      if parameter.nameOffset != 0 {
        guard try isIdentifier(parameter.nameOffset) else {
          throw bad(type, "the name of parameter \(index)")
        }
      }
      guard parameter.typeID != 0, try isValue(parameter.typeID, of: type) else {
        throw bad(type, "the type of parameter \(index)")
      }
    }
  }

  private mutating func isValue(_ id: UInt32, of type: BTFType) throws(EBPFError) -> Bool {
    let next = try target(id, of: type)
    try descend(next, .undecided, 0)
    return try hasSize(skipAll(next))
  }

  private func checkFunction(_ type: BTFType) throws(EBPFError) {
    let prototype = try known(type.sizeOrType, of: type)
    guard prototype.kind == .functionPrototype else {
      throw bad(type, "its type is a \(prototype.kind)")
    }
    let parameters = try btf.parameters(of: prototype)
    for index in parameters.indices
    where parameters[index].nameOffset == 0 && parameters[index].typeID != 0 {
      throw bad(type, "parameter \(index) has no name")
    }
  }

  private func checkTag(_ type: BTFType) throws(EBPFError) {
    let subject = try known(type.sizeOrType, of: type)
    let component = try btf.tagComponent(of: type)
    let count: Int
    switch subject.kind {
    case .variable, .typedef: count = 0
    case .structure, .union: count = subject.count
    case .function:
      let prototype = try known(subject.sizeOrType, of: type)
      count = prototype.kind == .functionPrototype ? prototype.count : 0
    default: throw bad(type, "a tag on a \(subject.kind)")
    }
    guard component < count else { throw bad(type, "component \(component) of \(count)") }
  }

  /// Type tags come before all other modifiers.
  private func checkTagOrder(_ type: BTFType) throws(EBPFError) {
    var (current, isBefore) = (type, type.kind == .typeTag)
    for _ in 0..<BTF.depthLimit {
      guard current.kind.isModifier || current.kind == .typedef else { return }
      if current.kind != .typeTag { isBefore = false }
      guard current.kind != .typeTag || isBefore else {
        throw bad(type, "a type tag after another modifier")
      }
      current = try btf.type(current.sizeOrType)
    }
  }

  /// A type that exists.
  private func known(_ id: UInt32, of type: BTFType) throws(EBPFError) -> BTFType {
    guard id < btf.typeCount else { throw bad(type, "there is no type \(id)") }
    return try btf.type(id)
  }

  /// A type that others may refer to.
  private func target(_ id: UInt32, of type: BTFType) throws(EBPFError) -> BTFType {
    let next = try known(id, of: type)
    guard ![.variable, .dataSection, .declarationTag].contains(next.kind) else {
      throw bad(type, "it refers to a \(next.kind)")
    }
    return next
  }

  private func skipAll(_ type: BTFType) throws(EBPFError) -> BTFType {
    try btf.skipModifiers(type.id)
  }

  private func hasSize(_ type: BTFType) -> Bool {
    ![.void, .forward, .function, .functionPrototype, .declarationTag, .variable]
      .contains(type.kind)
  }

  /// An integer of whole bytes: not a range of bits. The kernel lets it be smaller than its storage.
  private func isRegularInteger(_ type: BTFType) throws(EBPFError) -> Bool {
    guard type.kind == .int else { return false }
    let integer = try btf.integer(of: type)
    return integer.bitOffset == 0 && [8, 16, 32, 64, 128].contains(integer.bitCount)
  }
}
