/// A Swift structure that mirrors a C structure of a BPF object, field by field.
///
/// The loader compares the two by the object's BTF before a map with such keys or values is used.
public protocol BTFRepresentable: BitwiseCopyable {
  /// The fields, by the names they have in C; all of them, in any order.
  static var btfFields: [BTFField] { get }
}

/// One field of a ``BTFRepresentable`` structure.
public struct BTFField: Sendable, Hashable {
  /// The field's name in C.
  public let name: String
  /// Its offset in Swift; nil for a property that is not stored.
  public let offset: Int?
  /// Its size in Swift.
  public let size: Int

  /// Names the C field that a stored property mirrors.
  public init<Root, Value>(_ name: String, _ path: KeyPath<Root, Value>) {
    self.name = name
    offset = MemoryLayout<Root>.offset(of: path)
    size = MemoryLayout<Value>.size
  }
}

/// Compares Swift structures with C structures.
public struct BTFLayout: Sendable {
  private let btf: BTF

  /// Compares with the structures of an object's BTF.
  public init(_ btf: BTF) { self.btf = btf }

  /// Checks that values of `type` may be used as values of the BTF type `id`.
  ///
  /// A structure must be ``BTFRepresentable``, and then every C field must have its property at the same
  /// offset with the same size. Any other type only has to have the same size. For keys, padding is
  /// refused: the kernel hashes and compares it, and Swift does not say what is in it.
  public func check<Value: BitwiseCopyable>(
    _ type: Value.Type, against id: UInt32, isKey: Bool = false
  ) throws(EBPFError) {
    let target = try btf.skipModifiers(id)
    let name = "\(type)"
    let wanted = try btf.size(of: id)
    let cName = try btf.typeName(target.id)
    if let structure = type as? any BTFRepresentable.Type, target.kind.isComposite {
      try check(structure.btfFields, name, target, isKey: isKey)
    }
    // A C array of structures needs the stride; for one value, trailing padding may be left out.
    guard Int(wanted) == MemoryLayout<Value>.stride || Int(wanted) == MemoryLayout<Value>.size
    else {
      throw mismatch("\(name) has \(MemoryLayout<Value>.size) bytes, but '\(cName)' has \(wanted)")
    }
  }

  private func check(
    _ fields: [BTFField], _ name: String, _ target: BTFType, isKey: Bool
  ) throws(EBPFError) {
    let cName = try btf.name(of: target)
    var places: [String: (offset: UInt64, size: UInt64)] = [:]
    try collect(target, at: 0, depth: 0, into: &places)
    var covered: [(start: Int, end: Int)] = []
    for field in fields {
      guard let offset = field.offset else {
        throw mismatch("\(name).\(field.name) is not a stored property")
      }
      guard let place = places.removeValue(forKey: field.name) else {
        throw mismatch("\(name).\(field.name): '\(cName)' has no such field, or has it twice here")
      }
      guard place.offset == UInt64(offset), place.size == UInt64(field.size) else {
        throw mismatch(
          "\(name).\(field.name) is \(Self.bytes(UInt64(field.size))) at \(offset), but "
            + "'\(cName).\(field.name)' is \(Self.bytes(place.size)) at \(place.offset)")
      }
      covered.append((offset, offset + field.size))
    }
    if target.kind == .structure, let missing = places.keys.min() {
      throw mismatch(
        "'\(cName).\(missing)' has no field in \(name)",
        hint: "name every C field, padding too, in btfFields")
    }
    guard isKey else { return }
    var end = 0
    for field in covered.sorted(by: { $0.start < $1.start }) {
      guard field.start <= end else { break }
      end = max(end, field.end)
    }
    guard end == Int(target.sizeOrType) else {
      throw mismatch(
        "\(name) has padding at \(end), and the kernel would hash it",
        hint: "give the padding a name in C and in Swift, and keep it zero")
    }
  }

  /// The fields of a struct by name, those of anonymous structs and unions inside it included.
  private func collect(
    _ type: BTFType, at offset: UInt64, depth: Int,
    into places: inout [String: (offset: UInt64, size: UInt64)]
  ) throws(EBPFError) {
    guard depth < BTF.depthLimit else { throw btf.tooDeep(type.id) }
    for member in try btf.members(of: type) {
      // Depth × 2³², far below 2⁶⁴.
      let place = offset + UInt64(member.bitOffset) / 8
      let name = try btf.string(at: member.nameOffset)
      let inner = try btf.skipModifiers(member.typeID)
      if name.isEmpty, inner.kind.isComposite {
        guard places.count <= 65_536 else {
          throw EBPFError(
            .tooLarge, "a struct of more than 65536 fields", context: [.type(type.id)])
        }
        try collect(inner, at: place, depth: depth + 1, into: &places)
      } else if member.bitFieldSize != 0 {
        throw EBPFError(
          .unsupported, "'\(name)' is a bitfield, which no Swift property mirrors",
          context: [.type(type.id)], hint: "read it through the bytes of the value")
      } else {
        places[name] = (place, try btf.size(of: member.typeID))
      }
    }
  }

  private func mismatch(_ message: String, hint: String? = nil) -> EBPFError {
    EBPFError(.layoutMismatch, message, hint: hint)
  }

  private static func bytes(_ count: UInt64) -> String { count == 1 ? "1 byte" : "\(count) bytes" }
}
