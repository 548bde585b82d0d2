/// Bytes read as a type says: what a map's key or value means.
public indirect enum BTFValue: Sendable, Hashable {
  /// A signed integer.
  case signed(Int64)
  /// An unsigned integer.
  case unsigned(UInt64)
  /// A `bool`; anything but 0 is true.
  case boolean(Bool)
  /// A floating-point number.
  case floating(Double)
  /// A character that can be printed, of a type that is for characters.
  case character(UInt8)
  /// The name that an enumeration has for its value.
  case enumerator(String)
  /// A pointer.
  case pointer(UInt64)
  /// An array of characters that holds text up to its first zero.
  case text(String)
  /// An array.
  case list([BTFValue])
  /// A struct or union, field by field, in the order of the declaration.
  case fields([Field])
  /// What the type does not explain: integers wider than 64 bits, types that are only declared.
  case bytes([UInt8])

  /// A field of a struct or union.
  public struct Field: Sendable, Hashable {
    /// The name; empty for an anonymous struct or union.
    public var name: String
    /// What it holds.
    public var value: BTFValue
  }
}

/// Reads values of one blob's types.
public struct BTFValueReader: Sendable {
  private let btf: BTF

  /// Reads values of the types of `btf`, in its byte order.
  public init(_ btf: BTF) { self.btf = btf }

  /// The value of a type at the start of `bytes`; throws when there are too few of them, or when the
  /// type has more parts than so many bytes can mean anything for.
  public func value(of id: UInt32, in bytes: [UInt8]) throws(EBPFError) -> BTFValue {
    var reading = BTFValueReading(btf: btf, size: bytes.count)
    return try reading.value(of: id, in: bytes[...], depth: 0)
  }
}

/// One reading: what it has read so far is bounded, whatever the types say.
private struct BTFValueReading {
  let btf: BTF
  /// How many parts it may still have.
  private var left: Int

  init(btf: BTF, size: Int) {
    self.btf = btf
    left = 64 * size + 4096
  }

  mutating func value(
    of id: UInt32, in bytes: ArraySlice<UInt8>, depth: Int
  ) throws(EBPFError) -> BTFValue {
    guard depth < BTF.depthLimit else { throw btf.tooDeep(id) }
    try spendOne(id)
    let type = try btf.skipModifiers(id)
    switch type.kind {
    case .int: return integer(try btf.integer(of: type), try slice(bytes, type))
    case .enumeration, .enumeration64: return try enumeration(type, try slice(bytes, type))
    case .pointer: return .pointer(number(try prefix(bytes, 8, type)))
    case .float: return floating(try slice(bytes, type))
    case .array: return try array(type, bytes, depth)
    case .structure, .union: return .fields(try fields(type, try slice(bytes, type), depth))
    case .variable: return try value(of: type.sizeOrType, in: bytes, depth: depth + 1)
    case .dataSection:
      var fields: [BTFValue.Field] = []
      for variable in try btf.variables(of: type) {
        let part = try part(bytes, at: UInt64(variable.offset), variable.size, type)
        fields.append(
          BTFValue.Field(
            name: try btf.name(of: try btf.type(variable.typeID)),
            value: try value(of: variable.typeID, in: part, depth: depth + 1)))
      }
      return .fields(fields)
    default: return .bytes(Array(bytes))
    }
  }

  private mutating func spendOne(_ id: UInt32) throws(EBPFError) {
    left -= 1
    guard left >= 0 else {
      throw EBPFError(
        .tooLarge, "a value with more parts than its bytes allow", context: [.type(id)])
    }
  }

  // MARK: - Scalars

  private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    let ordered = btf.order == .little ? Array(bytes.reversed()) : Array(bytes)
    return ordered.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  private func signed(_ value: UInt64, bits: Int) -> Int64 {
    guard bits > 0, bits < 64 else { return Int64(bitPattern: value) }
    let unused = UInt64(64 - bits)
    return Int64(bitPattern: value << unused) >> Int64(unused)
  }

  private func integer(_ encoding: BTFInteger, _ bytes: ArraySlice<UInt8>) -> BTFValue {
    guard bytes.count <= 8 else { return .bytes(Array(bytes)) }
    return scalar(number(bytes), encoding, bits: bytes.count * 8)
  }

  private func scalar(_ value: UInt64, _ encoding: BTFInteger, bits: Int) -> BTFValue {
    if encoding.isBoolean { return .boolean(value != 0) }
    if encoding.isCharacter, 0x20...0x7e ~= value {
      return .character(UInt8(truncatingIfNeeded: value))
    }
    return encoding.isSigned ? .signed(signed(value, bits: bits)) : .unsigned(value)
  }

  private func enumeration(
    _ type: BTFType, _ bytes: ArraySlice<UInt8>
  ) throws(EBPFError) -> BTFValue {
    guard bytes.count <= 8 else { return .bytes(Array(bytes)) }
    let value = number(bytes)
    let wide = type.kindFlag ? UInt64(bitPattern: signed(value, bits: bytes.count * 8)) : value
    for enumerator in try btf.enumerators(of: type) {
      let known =
        bytes.count < 8 ? enumerator.bits & (1 << UInt64(bytes.count * 8) - 1) : enumerator.bits
      if known == value { return .enumerator(try btf.string(at: enumerator.nameOffset)) }
    }
    return type.kindFlag ? .signed(Int64(bitPattern: wide)) : .unsigned(value)
  }

  private func floating(_ bytes: ArraySlice<UInt8>) -> BTFValue {
    switch bytes.count {
    case 4: .floating(Double(Float(bitPattern: UInt32(truncatingIfNeeded: number(bytes)))))
    case 8: .floating(Double(bitPattern: number(bytes)))
    default: .bytes(Array(bytes))
    }
  }

  // MARK: - Aggregates

  private mutating func array(
    _ type: BTFType, _ bytes: ArraySlice<UInt8>, _ depth: Int
  ) throws(EBPFError) -> BTFValue {
    let array = try btf.array(of: type)
    let size = try btf.size(of: array.elementID)
    // Elements without bytes could be any number of them.
    guard size > 0 else { return .list([]) }
    let (length, overflow) = size.multipliedReportingOverflow(by: UInt64(array.count))
    guard !overflow, length <= UInt64(bytes.count) else { throw tooShort(type, bytes.count) }
    let whole = bytes.prefix(Int(length))
    if try isCharacter(array.elementID), let text = text(whole) { return .text(text) }
    var values: [BTFValue] = []
    values.reserveCapacity(Int(array.count))
    var start = whole.startIndex
    while start < whole.endIndex {
      values.append(
        try value(
          of: array.elementID, in: whole[start..<start + Int(size)], depth: depth + 1))
      start += Int(size)
    }
    return .list(values)
  }

  private func isCharacter(_ id: UInt32) throws(EBPFError) -> Bool {
    let type = try btf.skipModifiers(id)
    guard type.kind == .int, type.size == 1 else { return false }
    let encoding = try btf.integer(of: type)
    if encoding.isCharacter { return true }
    return try btf.name(of: type) == "char"
  }

  /// The text before the first zero; nil where there is no zero, or no text.
  private func text(_ bytes: ArraySlice<UInt8>) -> String? {
    guard let end = bytes.firstIndex(of: 0),
      let text = String(validating: bytes[..<end], as: UTF8.self),
      text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
    else { return nil }
    return text
  }

  private mutating func fields(
    _ type: BTFType, _ bytes: ArraySlice<UInt8>, _ depth: Int
  ) throws(EBPFError) -> [BTFValue.Field] {
    var fields: [BTFValue.Field] = []
    for member in try btf.members(of: type) {
      try spendOne(type.id)
      let name = try btf.string(at: member.nameOffset)
      let found =
        member.bitFieldSize > 0
        ? try bitField(member, type, bytes)
        : try value(
          of: member.typeID,
          in: try part(
            bytes, at: UInt64(member.bitOffset / 8),
            UInt32(clamping: try size(of: member.typeID)), type),
          depth: depth + 1)
      // The fields of an anonymous struct or union belong to the one around it, as in C.
      if name.isEmpty, case .fields(let inner) = found {
        fields += inner
      } else {
        fields.append(BTFValue.Field(name: name, value: found))
      }
    }
    return fields
  }

  /// A flexible array at a struct's end has no size of its own.
  private func size(of id: UInt32) throws(EBPFError) -> UInt64 {
    let type = try btf.skipModifiers(id)
    if type.kind == .array, try btf.array(of: type).count == 0 { return 0 }
    return try btf.size(of: id)
  }

  private func bitField(
    _ member: BTFMember, _ type: BTFType, _ bytes: ArraySlice<UInt8>
  ) throws(EBPFError) -> BTFValue {
    let bits = Int(member.bitFieldSize)
    let first = Int(member.bitOffset)
    guard bits <= 64, first / 8 < bytes.count, (first + bits + 7) / 8 <= bytes.count else {
      throw tooShort(type, bytes.count)
    }
    var value: UInt64 = 0
    for bit in 0..<bits {
      let position = first + bit
      let byte = bytes[bytes.startIndex + position / 8]
      if btf.order == .little {
        value |= UInt64(byte >> UInt8(position % 8) & 1) << UInt64(bit)
      } else {
        value = value << 1 | UInt64(byte >> UInt8(7 - position % 8) & 1)
      }
    }
    let target = try btf.skipModifiers(member.typeID)
    if target.kind == .int {
      let encoding = try btf.integer(of: target)
      if encoding.isBoolean { return .boolean(value != 0) }
      return encoding.isSigned ? .signed(signed(value, bits: bits)) : .unsigned(value)
    }
    return target.kindFlag ? .signed(signed(value, bits: bits)) : .unsigned(value)
  }

  // MARK: - Bounds

  private func slice(
    _ bytes: ArraySlice<UInt8>, _ type: BTFType
  ) throws(EBPFError) -> ArraySlice<UInt8> {
    try prefix(bytes, type.size, type)
  }

  private func prefix(
    _ bytes: ArraySlice<UInt8>, _ count: UInt32, _ type: BTFType
  ) throws(EBPFError) -> ArraySlice<UInt8> {
    guard UInt64(count) <= UInt64(bytes.count) else { throw tooShort(type, bytes.count) }
    return bytes.prefix(Int(count))
  }

  private func part(
    _ bytes: ArraySlice<UInt8>, at offset: UInt64, _ count: UInt32, _ type: BTFType
  ) throws(EBPFError) -> ArraySlice<UInt8> {
    let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
    guard !overflow, end <= UInt64(bytes.count) else { throw tooShort(type, bytes.count) }
    return bytes.dropFirst(Int(offset)).prefix(Int(count))
  }

  private func tooShort(_ type: BTFType, _ count: Int) -> EBPFError {
    EBPFError(
      .malformed, "a value of \(count) bytes is shorter than its type says",
      context: [.type(type.id)])
  }
}
