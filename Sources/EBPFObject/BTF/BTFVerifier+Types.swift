// Each type alone: its words, names and sizes.

extension BTFVerifier {
  func checkAlone(_ id: UInt32) throws(EBPFError) {
    let type = try btf.type(id)
    guard type.kind.rawValue >= 1, type.kind.rawValue <= 19 else {
      throw bad(type, "a kind that kernels before 7.1 do not know")
    }
    guard type.count <= 0xffff else { throw bad(type, "more than 65535 members") }
    _ = try btf.place(ofString: type.nameOffset)
    if type.kind.refersToType, type.sizeOrType > Self.idLimit {
      throw bad(type, "type id \(type.sizeOrType)")
    }
    try checkFlags(type)
    switch type.kind {
    case .int: try checkInteger(type)
    case .array: try checkArray(type)
    case .structure, .union: try checkComposite(type)
    case .enumeration, .enumeration64: try checkEnumeration(type)
    case .dataSection: try checkSection(type)
    case .float:
      guard [2, 4, 8, 12, 16].contains(type.size) else {
        throw bad(type, "a size of \(type.size) bytes")
      }
    case .variable:
      let linkage = try btf.variableLinkage(of: type)
      guard linkage == .static || linkage == .global else {
        throw bad(type, "linkage \(linkage.rawValue); externs must be resolved first")
      }
      guard type.sizeOrType != 0 else { throw bad(type, "a variable of type void") }
    case .function:
      guard type.count <= 1 else {
        throw bad(type, "linkage \(type.count); externs must be resolved first")
      }
    case .declarationTag:
      guard try btf.tagComponent(of: type) >= -1 else { throw bad(type, "its component index") }
    case .forward:
      guard type.sizeOrType == 0 else { throw bad(type, "a forward with a type") }
    default: break
    }
    try checkName(type)
  }

  private func checkFlags(_ type: BTFType) throws(EBPFError) {
    let takesFlag =
      type.kind.isComposite || type.kind.isEnumeration || type.kind == .forward
      || type.kind == .typeTag || type.kind == .declarationTag
    guard takesFlag || !type.kindFlag else { throw bad(type, "the kind flag is set") }
    let takesCount =
      type.kind.isComposite || type.kind.isEnumeration || type.kind == .function
      || type.kind == .functionPrototype || type.kind == .dataSection
    guard takesCount || type.count == 0 else { throw bad(type, "a count of \(type.count)") }
  }

  private func checkName(_ type: BTFType) throws(EBPFError) {
    let isSound: Bool
    switch type.kind {
    case .pointer, .const, .volatile, .restrict, .array, .functionPrototype:
      isSound = type.isAnonymous
    case .typedef, .forward, .function, .variable:
      isSound = try isIdentifier(type.nameOffset)
    case .structure, .union, .enumeration, .enumeration64:
      isSound = try type.isAnonymous ? true : isIdentifier(type.nameOffset)
    case .typeTag, .declarationTag:
      isSound = try !btf.measuredName(at: type.nameOffset).isEmpty
    case .dataSection:
      isSound = try isSectionName(type.nameOffset)
    default:
      isSound = true
    }
    guard isSound else { throw bad(type, "the name '\(try btf.name(of: type))'") }
  }

  private func checkInteger(_ type: BTFType) throws(EBPFError) {
    let integer = try btf.integer(of: type)
    let bits = integer.bitCount + integer.bitOffset
    guard integer.word >> 28 == 0 else { throw bad(type, "unknown bits in its encoding") }
    guard bits <= 128, (bits + 7) / 8 <= type.size else {
      throw bad(type, "\(bits) bits in \(type.size) bytes")
    }
    guard [0, 1, 2, 4].contains(integer.encoding) else {
      throw bad(type, "encoding \(integer.encoding)")
    }
  }

  private func checkArray(_ type: BTFType) throws(EBPFError) {
    let array = try btf.array(of: type)
    guard type.sizeOrType == 0 else { throw bad(type, "an array with a size of its own") }
    for id in [array.elementID, array.indexID] where id == 0 || id > Self.idLimit {
      throw bad(type, "element or index of type \(id)")
    }
  }

  private func checkComposite(_ type: BTFType) throws(EBPFError) {
    var last: UInt32 = 0
    let members = try btf.members(of: type)
    for index in members.indices {
      let member = members[index]
      _ = try btf.place(ofString: member.nameOffset)
      if member.nameOffset != 0 {
        guard try isIdentifier(member.nameOffset) else {
          throw bad(type, "the name of member \(index)")
        }
      }
      guard member.typeID != 0, member.typeID <= Self.idLimit else {
        throw bad(type, "member \(index) has type \(member.typeID)")
      }
      guard type.kind == .structure || member.bitOffset == 0, member.bitOffset >= last else {
        throw bad(type, "member \(index) is at bit \(member.bitOffset)")
      }
      guard (UInt64(member.bitOffset) + 7) / 8 <= UInt64(type.size) else {
        throw bad(type, "member \(index) is past the end")
      }
      last = member.bitOffset
    }
  }

  private func checkEnumeration(_ type: BTFType) throws(EBPFError) {
    guard [1, 2, 4, 8].contains(type.size) else {
      throw bad(type, "a size of \(type.size) bytes")
    }
    let enumerators = try btf.enumerators(of: type)
    for index in enumerators.indices {
      guard try isIdentifier(enumerators[index].nameOffset) else {
        throw bad(type, "the name of enumerator \(index)")
      }
    }
  }

  private func checkSection(_ type: BTFType) throws(EBPFError) {
    guard type.size > 0 else { throw bad(type, "a size of 0 bytes") }
    var end: UInt64 = 0
    let variables = try btf.variables(of: type)
    for index in variables.indices {
      let variable = variables[index]
      guard variable.typeID != 0, variable.typeID <= Self.idLimit else {
        throw bad(type, "variable \(index) has type \(variable.typeID)")
      }
      let start = UInt64(variable.offset)
      guard start >= end, start < type.size, variable.size > 0,
        start + UInt64(variable.size) <= UInt64(type.size)
      else { throw bad(type, "variable \(index) is outside, or overlaps the one before") }
      end = start + UInt64(variable.size)
    }
  }
}
