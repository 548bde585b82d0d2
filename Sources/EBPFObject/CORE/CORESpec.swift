/// One meaningful step of an access: a named field, or an array index.
struct COREAccessor {
  /// The struct that has the field, or the type of the array's elements; modifiers are skipped.
  var typeID: UInt32
  /// The member's, element's or enumerator's index.
  var index: UInt32
  /// The name of the field or enumerator, in the strings of the blob; nil for an array index.
  var nameOffset: UInt32?
}

/// What a CO-RE record asks for, worked out in one blob.
///
/// Anonymous structs leave no accessor, only an index in ``path``.
struct CORESpec {
  /// No access path is longer; libbpf and the kernel have the same limit (`BPF_CORE_SPEC_MAX_LEN`).
  static let lengthLimit = 64

  var rootID: UInt32
  var accessors: [COREAccessor] = []
  /// Every index on the way, as in the access string.
  var path: [UInt32] = []
  /// The offset of the field from the start of the root, in bits; below 2³².
  var bitOffset: UInt64 = 0
}

extension CORESpec {
  /// Follows a record's access string through the object's own types.
  init(_ record: CORERecord, in btf: BTF) throws(EBPFError) {
    self.init(rootID: record.typeID)
    if record.kind.isTypeBased {
      guard record.access == "0" else {
        throw Self.malformed(record, "a type relocation has the access string '0'")
      }
      return
    }
    path = try Self.indexes(of: record)
    var type = try btf.skipModifiers(record.typeID)
    if record.kind.isEnumeratorBased {
      guard type.kind.isEnumeration, path.count == 1 else {
        throw Self.malformed(record, "an enumerator relocation needs an enumeration and one index")
      }
      let enumerators = try btf.enumerators(of: type)
      guard path[0] < enumerators.count else {
        throw Self.malformed(record, "the enumeration has \(enumerators.count) enumerators")
      }
      accessors = [
        COREAccessor(
          typeID: type.id, index: path[0],
          nameOffset: enumerators[Int(path[0])].nameOffset)
      ]
      return
    }
    accessors = [COREAccessor(typeID: type.id, index: path[0])]
    try advance(elements: path[0], of: type.id, in: btf)
    for index in path.dropFirst() {
      if type.kind.isComposite {
        let members = try btf.members(of: type)
        guard index < members.count else {
          throw Self.malformed(record, "type \(type.id) has \(members.count) members")
        }
        let member = members[Int(index)]
        try advance(bits: UInt64(member.bitOffset))
        if member.nameOffset != 0 {
          accessors.append(
            COREAccessor(typeID: type.id, index: index, nameOffset: member.nameOffset))
        }
        type = try btf.skipModifiers(member.typeID)
      } else if type.kind == .array {
        let array = try btf.array(of: type)
        guard try btf.accepts(index: index, of: array, after: accessors.last) else {
          throw Self.malformed(record, "the array has \(array.count) elements")
        }
        type = try btf.skipModifiers(array.elementID)
        accessors.append(COREAccessor(typeID: type.id, index: index))
        try advance(elements: index, of: type.id, in: btf)
      } else {
        throw Self.malformed(record, "type \(type.id) is a \(type.kind), which has no parts")
      }
    }
  }

  /// Moves the offset by a number of bits.
  mutating func advance(bits: UInt64) throws(EBPFError) {
    // Both are below 2³² × 2³², and the sum is cut back below 2³² each time.
    let (sum, overflow) = bitOffset.addingReportingOverflow(bits)
    guard !overflow, sum <= UInt64(UInt32.max) else {
      throw EBPFError(
        .malformed, "a field more than 512 MiB from the start of its type",
        context: [.type(rootID)])
    }
    bitOffset = sum
  }

  /// Moves the offset by a number of array elements.
  mutating func advance(
    elements: UInt32, of typeID: UInt32, in btf: BTF
  ) throws(EBPFError) {
    // `size(of:)` is below 2³², so that only the factor 8 can overflow.
    let (bytes, tooMany) = UInt64(elements).multipliedReportingOverflow(
      by: try btf.size(of: typeID))
    let (bits, tooLarge) = bytes.multipliedReportingOverflow(by: 8)
    try advance(bits: tooMany || tooLarge ? UInt64.max : bits)
  }

  private static func indexes(of record: CORERecord) throws(EBPFError) -> [UInt32] {
    var indexes: [UInt32] = []
    for part in record.access.split(separator: ":", omittingEmptySubsequences: false) {
      guard let first = part.utf8.first, first != 0x2b, let index = UInt32(part),
        index <= UInt32(Int32.max)
      else { throw malformed(record, "an access string is numbers between colons") }
      guard indexes.count < lengthLimit else {
        throw malformed(record, "more than \(lengthLimit) steps")
      }
      indexes.append(index)
    }
    return indexes
  }

  private static func malformed(_ record: CORERecord, _ why: String) -> EBPFError {
    EBPFError(
      .malformed, "the CO-RE access string '\(record.access)' does not fit its type: \(why)",
      context: [.type(record.typeID)])
  }
}

extension BTF {
  /// True when `index` is inside an array, or the array is a flexible one: without elements, and the
  /// last member of its struct, which is the accessor before.
  func accepts(
    index: UInt32, of array: BTFArray, after accessor: COREAccessor?
  ) throws(EBPFError) -> Bool {
    if index < array.count { return true }
    guard array.count == 0, let accessor, accessor.nameOffset != nil else { return false }
    return try Int(accessor.index) == type(accessor.typeID).count - 1
  }
}

extension CORERecord.Kind {
  /// True for the relocations of a field: byte offset, size, existence, sign, shifts.
  public var isFieldBased: Bool { rawValue <= CORERecord.Kind.fieldRightShift.rawValue }
  /// True for the relocations of an enumerator.
  public var isEnumeratorBased: Bool { self == .enumeratorExists || self == .enumeratorValue }
  /// True for the relocations of a type as a whole.
  public var isTypeBased: Bool { !isFieldBased && !isEnumeratorBased }
}
