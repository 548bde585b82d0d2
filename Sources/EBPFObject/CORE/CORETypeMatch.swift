// Whole types: are they of one shape (type_exists, type_size, type_id), do they match in every part
// (type_matches)?

extension CORETypeMatcher {
  /// Whether two types of the same name are of one shape: kinds are equal, pointers and arrays lead to
  /// such types, functions have such parameters. The contents of structs are not compared.
  mutating func typesAreCompatible(
    _ localID: UInt32, _ targetID: UInt32
  ) throws(EBPFError) -> Bool {
    guard try local.type(localID).kind.isCompatible(with: target.type(targetID).kind) else {
      return false
    }
    return try haveOneShape(localID, targetID, level: BTF.depthLimit)
  }

  private mutating func haveOneShape(
    _ localID: UInt32, _ targetID: UInt32, level: Int
  ) throws(EBPFError) -> Bool {
    var (localID, targetID) = (localID, targetID)
    for _ in 0..<BTF.depthLimit {
      try spend()
      let (mine, other) = (try local.skipModifiers(localID), try target.skipModifiers(targetID))
      guard mine.kind.isCompatible(with: other.kind) else { return false }
      switch mine.kind {
      case .void, .structure, .union, .enumeration, .enumeration64, .forward:
        return true
      case .int:
        let offsets = (
          try local.integer(of: mine).bitOffset, try target.integer(of: other).bitOffset
        )
        return offsets == (0, 0)
      case .pointer:
        (localID, targetID) = (mine.sizeOrType, other.sizeOrType)
      case .array:
        localID = try local.array(of: mine).elementID
        targetID = try target.array(of: other).elementID
      case .functionPrototype:
        let (parameters, others) = (
          try local.parameters(of: mine), try target.parameters(of: other)
        )
        guard parameters.count == others.count else { return false }
        for (parameter, otherParameter) in zip(parameters, others) {
          guard level > 0 else { throw local.tooDeep(localID) }
          guard
            try haveOneShape(parameter.typeID, otherParameter.typeID, level: level - 1)
          else { return false }
        }
        (localID, targetID) = (mine.sizeOrType, other.sizeOrType)
      default:
        return false
      }
    }
    throw local.tooDeep(localID)
  }

  /// Whether every part of the local type is in the target: names, sizes and signs of integers, all
  /// local members and enumerators. Behind a pointer only names and kinds count.
  mutating func typesMatch(_ localID: UInt32, _ targetID: UInt32) throws(EBPFError) -> Bool {
    try partsMatch(localID, targetID, isBehindPointer: false, level: BTF.depthLimit)
  }

  private mutating func partsMatch(
    _ localID: UInt32, _ targetID: UInt32, isBehindPointer: Bool, level: Int
  ) throws(EBPFError) -> Bool {
    guard level > 0 else { throw local.tooDeep(localID) }
    var (localID, targetID, isBehindPointer) = (localID, targetID, isBehindPointer)
    for _ in 0..<BTF.depthLimit {
      try spend()
      let (mine, other) = (try local.skipModifiers(localID), try target.skipModifiers(targetID))
      guard try namesMatch(mine.nameOffset, other.nameOffset) else { return false }
      switch mine.kind {
      case .void:
        return other.kind == .void
      case .forward:
        if other.kind == .forward { return mine.kindFlag == other.kindFlag }
        return isBehindPointer && other.kind == (mine.kindFlag ? .union : .structure)
      case .enumeration, .enumeration64:
        guard other.kind.isEnumeration else { return false }
        return try enumeratorsMatch(mine, other)
      case .structure, .union:
        if isBehindPointer {
          return mine.kind == other.kind
            || (other.kind == .forward && (mine.kind == .union) == other.kindFlag)
        }
        guard mine.kind == other.kind else { return false }
        return try membersMatch(mine, other, level: level)
      case .int:
        guard other.kind == .int, mine.size == other.size else { return false }
        return try local.integer(of: mine).isSigned == target.integer(of: other).isSigned
      case .pointer:
        guard other.kind == .pointer else { return false }
        isBehindPointer = true
        (localID, targetID) = (mine.sizeOrType, other.sizeOrType)
      case .array:
        guard other.kind == .array else { return false }
        let (array, otherArray) = (try local.array(of: mine), try target.array(of: other))
        guard array.count == otherArray.count else { return false }
        (localID, targetID) = (array.elementID, otherArray.elementID)
      case .functionPrototype:
        guard other.kind == .functionPrototype else { return false }
        let (parameters, others) = (
          try local.parameters(of: mine), try target.parameters(of: other)
        )
        guard parameters.count == others.count else { return false }
        for (parameter, otherParameter) in zip(parameters, others) {
          guard
            try partsMatch(
              parameter.typeID, otherParameter.typeID, isBehindPointer: isBehindPointer,
              level: level - 1)
          else { return false }
        }
        (localID, targetID) = (mine.sizeOrType, other.sizeOrType)
      default:
        return false
      }
    }
    throw local.tooDeep(localID)
  }

  private func namesMatch(_ localOffset: UInt32, _ targetOffset: UInt32) throws(EBPFError) -> Bool {
    try local.measuredName(at: localOffset).isEssentially(target.measuredName(at: targetOffset))
  }

  private mutating func enumeratorsMatch(
    _ mine: BTFType, _ other: BTFType
  ) throws(EBPFError) -> Bool {
    guard mine.size == other.size, mine.count <= other.count else { return false }
    let others = try target.enumerators(of: other)
    for enumerator in try local.enumerators(of: mine) {
      try spend(others.count)
      let name = try local.measuredName(at: enumerator.nameOffset)
      var isFound = false
      for candidate in others
      where try target.measuredName(at: candidate.nameOffset).isEssentially(name) {
        isFound = true
        break
      }
      guard isFound else { return false }
    }
    return true
  }

  private mutating func membersMatch(
    _ mine: BTFType, _ other: BTFType, level: Int
  ) throws(EBPFError) -> Bool {
    guard mine.count <= other.count else { return false }
    let others = try target.members(of: other)
    for member in try local.members(of: mine) {
      try spend(others.count)
      var isFound = false
      for candidate in others where try namesMatch(member.nameOffset, candidate.nameOffset) {
        if try partsMatch(
          member.typeID, candidate.typeID, isBehindPointer: false, level: level - 1)
        {
          isFound = true
          break
        }
      }
      guard isFound else { return false }
    }
    return true
  }
}
