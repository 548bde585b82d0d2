// What follows the three words of a type.

extension BTF {
  /// The fields of a struct or union, in order.
  public func members(of type: BTFType) throws(EBPFError) -> BTFRecords<BTFMember> {
    guard type.kind.isComposite else { throw wrongKind(type, wanted: "a struct or union") }
    return try records(of: type, stride: 12)
  }

  /// The parameters of a function prototype, in order.
  public func parameters(of type: BTFType) throws(EBPFError) -> BTFRecords<BTFParameter> {
    guard type.kind == .functionPrototype else {
      throw wrongKind(type, wanted: "a function prototype")
    }
    return try records(of: type, stride: 8)
  }

  /// The values of an enumeration of either width, in order.
  public func enumerators(of type: BTFType) throws(EBPFError) -> BTFRecords<BTFEnumerator> {
    guard type.kind.isEnumeration else { throw wrongKind(type, wanted: "an enumeration") }
    return try records(of: type, stride: type.kind == .enumeration64 ? 12 : 8)
  }

  /// The variables of a data section, in order.
  public func variables(of type: BTFType) throws(EBPFError) -> BTFRecords<BTFSectionVariable> {
    guard type.kind == .dataSection else { throw wrongKind(type, wanted: "a data section") }
    return try records(of: type, stride: 12)
  }

  /// How an `INT` is encoded.
  public func integer(of type: BTFType) throws(EBPFError) -> BTFInteger {
    guard type.kind == .int else { throw wrongKind(type, wanted: "an integer") }
    return BTFInteger(word: try word(0, of: type))
  }

  /// What an `ARRAY` holds.
  public func array(of type: BTFType) throws(EBPFError) -> BTFArray {
    guard type.kind == .array else { throw wrongKind(type, wanted: "an array") }
    return BTFArray(
      elementID: try word(0, of: type), indexID: try word(1, of: type), count: try word(2, of: type)
    )
  }

  /// The linkage of a `VAR`.
  public func variableLinkage(of type: BTFType) throws(EBPFError) -> BTFLinkage {
    guard type.kind == .variable else { throw wrongKind(type, wanted: "a variable") }
    return BTFLinkage(rawValue: try word(0, of: type))
  }

  /// The member or parameter that a `DECL_TAG` is on, by index; -1 for the whole type.
  public func tagComponent(of type: BTFType) throws(EBPFError) -> Int32 {
    guard type.kind == .declarationTag else { throw wrongKind(type, wanted: "a declaration tag") }
    return Int32(bitPattern: try word(0, of: type))
  }

  private func word(_ index: Int, of type: BTFType) throws(EBPFError) -> UInt32 {
    let blob = owner(of: type.id)
    return try blob.types.load(at: type.dataOffset + index * 4, order: blob.order)
  }

  private func records<Record: BTFRecord>(
    of type: BTFType, stride: Int
  ) throws(EBPFError) -> BTFRecords<Record> {
    let blob = owner(of: type.id)
    // A type's count is at most 2²⁴ - 1.
    let bytes = try blob.types.slice(at: type.dataOffset, count: type.count * stride)
    return BTFRecords(bytes, stride: stride, order: blob.order, type: type)
  }
}
