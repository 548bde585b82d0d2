/// What a specification comes to in one blob.
struct COREValue {
  var value: UInt64 = 0
  /// The size of a memory access to the field; 0 where none is meant.
  var size: UInt32 = 0
  /// The field's type, when ``size`` is set.
  var typeID: UInt32 = 0
  /// The compiler must have computed the same value from the object's types.
  var validates = true
  /// The value is of an unsigned 32-bit enumerator.
  var isUnsignedWord = false
}

extension COREValue {
  /// The value of `kind` for `spec` in `btf`; nil when it is missing and has no stand-in.
  static func value(
    of kind: CORERecord.Kind, _ spec: CORESpec?, in btf: BTF
  ) throws(EBPFError) -> COREValue? {
    switch kind {
    case .fieldExists, .typeExists, .typeMatches, .enumeratorExists:
      return COREValue(value: spec == nil ? 0 : 1)
    case .typeSize:
      guard let spec else { return COREValue() }
      return COREValue(value: try btf.size(of: spec.rootID))
    case .typeIDTarget, .typeIDLocal:
      // Linkers renumber types, so that what the instruction holds proves nothing.
      return COREValue(value: UInt64(spec?.rootID ?? 0), validates: false)
    case .enumeratorValue:
      guard let spec else { return nil }
      return try enumerator(spec, in: btf)
    case .fieldByteOffset, .fieldByteSize, .fieldSigned, .fieldLeftShift, .fieldRightShift:
      guard let spec, let last = spec.accessors.last else { return nil }
      return last.nameOffset == nil
        ? try element(kind, last, spec, in: btf) : try field(kind, last, spec, in: btf)
    }
  }

  private static func enumerator(_ spec: CORESpec, in btf: BTF) throws(EBPFError) -> COREValue {
    let type = try btf.type(spec.accessors[0].typeID)
    let enumerator = try btf.enumerators(of: type)[Int(spec.accessors[0].index)]
    guard type.kind == .enumeration else { return COREValue(value: enumerator.bits) }
    // As libbpf does: 32-bit values are sign-extended, whatever the enumeration says. See
    // `COREResult.accepts(_:)` for those where that is wrong.
    let word = UInt32(truncatingIfNeeded: enumerator.bits)
    return COREValue(
      value: UInt64(bitPattern: Int64(Int32(bitPattern: word))),
      isUnsignedWord: !enumerator.isSigned)
  }

  private static func element(
    _ kind: CORERecord.Kind, _ accessor: COREAccessor, _ spec: CORESpec, in btf: BTF
  ) throws(EBPFError) -> COREValue {
    switch kind {
    case .fieldByteOffset:
      return COREValue(
        value: spec.bitOffset / 8, size: try accessSize(of: accessor.typeID, in: btf),
        typeID: accessor.typeID)
    case .fieldByteSize:
      return COREValue(value: try btf.size(of: accessor.typeID))
    default:
      throw EBPFError(
        .malformed, "a CO-RE relocation of an array element's sign or shift",
        context: [.type(spec.rootID)])
    }
  }

  private static func field(
    _ kind: CORERecord.Kind, _ accessor: COREAccessor, _ spec: CORESpec, in btf: BTF
  ) throws(EBPFError) -> COREValue {
    let owner = try btf.type(accessor.typeID)
    let member = try btf.members(of: owner)[Int(accessor.index)]
    let type = try btf.skipModifiers(member.typeID)
    let isBitField = member.bitFieldSize > 0
    // `advance(bits:)` keeps the offset below 2³².
    let bitOffset = UInt32(spec.bitOffset)
    let (byteOffset, byteSize): (UInt32, UInt32)
    let bitSize: UInt32
    if isBitField {
      (byteOffset, byteSize) = try window(bitOffset, member.bitFieldSize, of: type, in: btf)
      bitSize = member.bitFieldSize
    } else {
      byteSize = UInt32(try btf.size(of: type.id))
      byteOffset = bitOffset / 8
      bitSize = byteSize &* 8
    }
    // A compiler may choose another window for a bitfield, except for its sign and width.
    var value = COREValue(validates: !isBitField)
    switch kind {
    case .fieldByteOffset:
      value.value = UInt64(byteOffset)
      if !isBitField {
        value.size = try accessSize(of: type.id, in: btf)
        value.typeID = type.id
      }
    case .fieldByteSize:
      value.value = UInt64(byteSize)
    case .fieldSigned:
      let isSigned: Bool
      if type.kind == .int {
        isSigned = try btf.integer(of: type).isSigned
      } else {
        isSigned = type.kind.isEnumeration && type.kindFlag
      }
      value.value = isSigned ? 1 : 0
      value.validates = true
    case .fieldLeftShift:
      // Modulo 2³², as for fields of more than 64 bits there is no meaningful shift.
      let shift =
        btf.order == .little
        ? 64 &- (bitOffset &+ bitSize &- byteOffset &* 8)
        : (8 &- byteSize) &* 8 &+ (bitOffset &- byteOffset &* 8)
      value.value = UInt64(shift)
    default:
      value.value = UInt64(64 &- bitSize)
      value.validates = true
    }
    return value
  }

  /// The smallest aligned word, from the declared type's size up, that holds a whole bitfield.
  private static func window(
    _ bitOffset: UInt32, _ bitSize: UInt32, of type: BTFType, in btf: BTF
  ) throws(EBPFError) -> (offset: UInt32, size: UInt32) {
    var size = try btf.size(of: type.id)
    guard size > 0 else {
      throw EBPFError(.malformed, "a bitfield in a type without size", context: [.type(type.id)])
    }
    while true {
      let offset = UInt64(bitOffset) / 8 / size * size
      if UInt64(bitOffset) + UInt64(bitSize) - offset * 8 <= size * 8 {
        return (UInt32(offset), UInt32(size))
      }
      guard size < 8 else {
        throw EBPFError(
          .unsupported, "a bitfield that no load of 64 bits can read", context: [.type(type.id)])
      }
      size *= 2
    }
  }

  /// The size of one load from a field: of an array, of one element.
  private static func accessSize(of id: UInt32, in btf: BTF) throws(EBPFError) -> UInt32 {
    var type = try btf.skipModifiers(id)
    for _ in 0..<BTF.depthLimit {
      guard type.kind == .array else { return UInt32(try btf.size(of: type.id)) }
      type = try btf.skipModifiers(try btf.array(of: type).elementID)
    }
    throw btf.tooDeep(id)
  }
}
