/// Compares types of an object with types of a kernel.
///
/// Every comparison spends from a budget, so that types made to explode end in an error.
struct CORETypeMatcher {
  let local: BTF
  let target: BTF
  var budget: Int

  /// Pays for looking at `count` types, members or parameters.
  mutating func spend(_ count: Int = 1) throws(EBPFError) {
    guard budget >= count else {
      throw EBPFError(
        .tooLarge, "the CO-RE relocations need too many comparisons",
        hint: "the object's or the target's BTF has types nested in each other beyond use")
    }
    budget -= count
  }
}

/// Why a kernel type is not what a record wants.
enum COREMismatch {
  /// No field of this name.
  case noField(UInt32)
  /// A field of this name, but of another sort.
  case fieldKind(UInt32, target: UInt32)
  /// An index into something that is not an array.
  case notAnArray(UInt32)
  /// An index past the end of an array.
  case index(UInt32, count: UInt32)
  /// Not an enumeration.
  case notAnEnumeration
  /// No enumerator of this name.
  case noEnumerator(UInt32)
  /// Another kind of type, or one whose parts differ.
  case type
}

/// A specification in the target, or the reason why there is none.
enum CORESpecMatch {
  case matched(CORESpec)
  case mismatched(COREMismatch)
}

extension CORETypeMatcher {
  /// Finds what `spec` describes in the target type `id`.
  mutating func match(
    _ spec: CORESpec, kind: CORERecord.Kind, with id: UInt32
  ) throws(EBPFError) -> CORESpecMatch {
    try spend()
    if kind.isTypeBased {
      let fits =
        kind == .typeMatches
        ? try typesMatch(spec.rootID, id) : try typesAreCompatible(spec.rootID, id)
      return fits ? .matched(CORESpec(rootID: id)) : .mismatched(.type)
    }
    if kind.isEnumeratorBased { return try matchEnumerator(spec.accessors[0], with: id) }
    return try matchField(spec, with: id)
  }

  private mutating func matchEnumerator(
    _ wanted: COREAccessor, with id: UInt32
  ) throws(EBPFError) -> CORESpecMatch {
    let type = try target.skipModifiers(id)
    guard type.kind.isEnumeration else { return .mismatched(.notAnEnumeration) }
    let nameOffset = wanted.nameOffset ?? 0
    let name = try local.measuredName(at: nameOffset)
    let enumerators = try target.enumerators(of: type)
    try spend(enumerators.count)
    for (index, enumerator) in enumerators.enumerated() {
      guard try target.measuredName(at: enumerator.nameOffset).isEssentially(name) else {
        continue
      }
      var found = CORESpec(rootID: id)
      found.accessors = [
        COREAccessor(
          typeID: type.id, index: UInt32(index), nameOffset: enumerator.nameOffset)
      ]
      found.path = [UInt32(index)]
      return .matched(found)
    }
    return .mismatched(.noEnumerator(nameOffset))
  }

  private mutating func matchField(
    _ spec: CORESpec, with id: UInt32
  ) throws(EBPFError) -> CORESpecMatch {
    var found = CORESpec(rootID: id)
    var next = id
    for (step, accessor) in spec.accessors.enumerated() {
      if let nameOffset = accessor.nameOffset {
        let owner = try local.type(accessor.typeID)
        let wanted = Field(
          name: try local.measuredName(at: nameOffset),
          typeID: try local.members(of: owner)[Int(accessor.index)].typeID)
        switch try findMember(wanted, in: next, &found) {
        case .found(let member): next = member
        case .incompatible(let other):
          return .mismatched(.fieldKind(nameOffset, target: other))
        case .missing: return .mismatched(.noField(nameOffset))
        }
        continue
      }
      var type = try target.skipModifiers(next)
      if step > 0 {
        guard type.kind == .array else { return .mismatched(.notAnArray(type.id)) }
        let array = try target.array(of: type)
        guard try target.accepts(index: accessor.index, of: array, after: found.accessors.last)
        else { return .mismatched(.index(accessor.index, count: array.count)) }
        type = try target.skipModifiers(array.elementID)
      }
      try checkLength(of: found)
      found.accessors.append(COREAccessor(typeID: type.id, index: accessor.index))
      found.path.append(accessor.index)
      try found.advance(elements: accessor.index, of: type.id, in: target)
      next = type.id
    }
    return .matched(found)
  }

  private struct Field {
    let name: BTFName
    let typeID: UInt32
  }

  private enum MemberMatch {
    case found(UInt32)
    case incompatible(UInt32)
    case missing
  }

  /// Looks for a field in order of declaration, into anonymous structs and unions too; the first of
  /// the right name decides. `spec` grows by the way to it.
  private mutating func findMember(
    _ wanted: Field, in id: UInt32, _ spec: inout CORESpec
  ) throws(EBPFError) -> MemberMatch {
    let type = try target.skipModifiers(id)
    guard type.kind.isComposite else { return .missing }
    try checkLength(of: spec)
    let members = try target.members(of: type)
    for index in members.indices {
      let member = members[index]
      try spend()
      let (strings, start) = try target.place(ofString: member.nameOffset)
      let isAnonymous = strings.span.byte(at: start) == 0
      guard isAnonymous || wanted.name.isEqual(to: strings, at: start) else { continue }
      let before = spec.bitOffset
      try spec.advance(bits: UInt64(member.bitOffset))
      spec.path.append(UInt32(index))
      if isAnonymous {
        let inner = try findMember(wanted, in: member.typeID, &spec)
        guard case .missing = inner else { return inner }
      } else {
        guard try fieldsAreCompatible(wanted.typeID, member.typeID) else {
          return .incompatible(member.typeID)
        }
        spec.accessors.append(
          COREAccessor(typeID: type.id, index: UInt32(index), nameOffset: member.nameOffset))
        return .found(member.typeID)
      }
      spec.bitOffset = before
      spec.path.removeLast()
    }
    return .missing
  }

  private func checkLength(of spec: CORESpec) throws(EBPFError) {
    guard spec.path.count < CORESpec.lengthLimit else {
      throw EBPFError(
        .malformed, "structs nested more than \(CORESpec.lengthLimit) deep",
        context: [.type(spec.rootID)])
    }
  }

  /// Whether a field of one type may be read as one of the other: structs and unions mix, pointers and
  /// floats are alike, enumerations and forwards by name, integers of any size, arrays by element.
  private mutating func fieldsAreCompatible(
    _ localID: UInt32, _ targetID: UInt32
  ) throws(EBPFError) -> Bool {
    var (localID, targetID) = (localID, targetID)
    for _ in 0..<BTF.depthLimit {
      try spend()
      let (mine, other) = (try local.skipModifiers(localID), try target.skipModifiers(targetID))
      if mine.kind.isComposite, other.kind.isComposite { return true }
      guard mine.kind.isCompatible(with: other.kind) else { return false }
      switch mine.kind {
      case .pointer, .float:
        return true
      case .forward, .enumeration, .enumeration64:
        let name = try local.measuredName(at: mine.nameOffset)
        let otherName = try target.measuredName(at: other.nameOffset)
        return name.isEmpty || otherName.isEmpty || name.isEssentially(otherName)
      case .int:
        let offsets = (
          try local.integer(of: mine).bitOffset, try target.integer(of: other).bitOffset
        )
        return offsets == (0, 0)
      case .array:
        localID = try local.array(of: mine).elementID
        targetID = try target.array(of: other).elementID
      default:
        return false
      }
    }
    throw local.tooDeep(localID)
  }
}

extension BTFKind {
  /// Equal, except that enumerations of both widths are one kind to CO-RE.
  func isCompatible(with other: BTFKind) -> Bool {
    self == other || (isEnumeration && other.isEnumeration)
  }
}
