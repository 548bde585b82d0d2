// Sizes and alignments, and the way through typedefs and modifiers.

extension BTF {
  /// The longest chain of references that is followed; the kernel and libbpf use the same.
  static let depthLimit = 32

  /// The size of a pointer in BPF programs and in every kernel with BTF.
  static let pointerSize: UInt64 = 8

  /// The type behind `const`, `volatile`, `restrict`, type tags and typedefs.
  public func skipModifiers(_ id: UInt32) throws(EBPFError) -> BTFType {
    var type = try type(id)
    for _ in 0..<Self.depthLimit {
      guard type.kind.isModifier || type.kind == .typedef else { return type }
      type = try self.type(type.sizeOrType)
    }
    throw tooDeep(id)
  }

  /// The size of a value of this type in bytes.
  ///
  /// Throws for types without one: `void`, functions, forward declarations.
  public func size(of id: UInt32) throws(EBPFError) -> UInt64 {
    var type = try type(id)
    var count: UInt64 = 1
    for _ in 0..<Self.depthLimit {
      let size: UInt64
      switch type.kind {
      case .int, .structure, .union, .enumeration, .enumeration64, .dataSection, .float:
        size = UInt64(type.sizeOrType)
      case .pointer:
        size = Self.pointerSize
      case .typedef, .const, .volatile, .restrict, .typeTag, .variable, .declarationTag:
        type = try self.type(type.sizeOrType)
        continue
      case .array:
        let array = try array(of: type)
        count = try product(count, UInt64(array.count), id)
        type = try self.type(array.elementID)
        continue
      default:
        throw EBPFError(
          .malformed, "\(type.id == 0 ? "void" : "a \(type.kind)") has no size",
          context: [.type(id), .offset(fileOffset(of: type))])
      }
      return try product(count, size, id)
    }
    throw tooDeep(id)
  }

  /// The alignment that C requires for this type in bytes; 1 for a packed struct.
  public func alignment(of id: UInt32) throws(EBPFError) -> UInt64 {
    var known: [UInt32: UInt64] = [:]
    return try alignment(of: id, depth: 0, known: &known)
  }

  private func alignment(
    of id: UInt32, depth: Int, known: inout [UInt32: UInt64]
  ) throws(EBPFError) -> UInt64 {
    if let alignment = known[id] { return alignment }
    guard depth < Self.depthLimit else { throw tooDeep(id) }
    let type = try skipModifiers(id)
    let result: UInt64
    switch type.kind {
    case .int, .enumeration, .enumeration64, .float:
      result = max(1, min(Self.pointerSize, UInt64(type.sizeOrType)))
    case .pointer:
      result = Self.pointerSize
    case .array:
      result = try alignment(of: array(of: type).elementID, depth: depth + 1, known: &known)
    case .variable:
      result = try alignment(of: type.sizeOrType, depth: depth + 1, known: &known)
    case .structure, .union:
      var largest: UInt64 = 1
      for member in try members(of: type) {
        let own = try alignment(of: member.typeID, depth: depth + 1, known: &known)
        if member.bitFieldSize == 0, UInt64(member.bitOffset) % (8 * own) != 0 {
          largest = 1
          break
        }
        largest = max(largest, own)
      }
      result = UInt64(type.sizeOrType) % largest == 0 ? largest : 1
    default:
      throw EBPFError(
        .malformed, "a \(type.kind) has no alignment",
        context: [.type(id), .offset(fileOffset(of: type))])
    }
    known[id] = result
    return result
  }

  private func product(_ a: UInt64, _ b: UInt64, _ id: UInt32) throws(EBPFError) -> UInt64 {
    let (result, overflow) = a.multipliedReportingOverflow(by: b)
    guard !overflow, result <= UInt64(UInt32.max) else {
      throw EBPFError(.malformed, "an array of more than 4 GiB", context: [.type(id)])
    }
    return result
  }

  func tooDeep(_ id: UInt32) -> EBPFError {
    EBPFError(
      .malformed, "the type refers to others through more than \(Self.depthLimit) steps",
      context: [.type(id)], hint: "a cycle of typedefs, modifiers or arrays is not valid BTF")
  }
}
