// One type as C source.

extension BTFPrinter {
  /// No definition in a report is longer.
  private static let recordLimit = 100_000

  /// The definition of a type in C, with what is anonymous inside it written out: the struct's fields,
  /// the enumeration's values, a typedef, a function's declaration.
  public func definition(of id: UInt32) throws(EBPFError) -> String {
    let type = try btf.type(id)
    var left = Self.recordLimit
    switch type.kind {
    case .structure, .union, .enumeration, .enumeration64:
      return try body(of: type, depth: 0, left: &left) + ";"
    case .typedef:
      return try "typedef "
        + declaration(of: type.sizeOrType, name: btf.name(of: type), depth: 0, left: &left) + ";"
    case .function, .variable:
      return try declaration(
        of: type.sizeOrType, name: btf.name(of: type), depth: 0, left: &left) + ";"
    default:
      return try declaration(of: id, name: "", depth: 0, left: &left) + ";"
    }
  }

  /// A declaration in which anonymous structs, unions and enumerations are written out.
  private func declaration(
    of id: UInt32, name: String, depth: Int, left: inout Int
  ) throws(EBPFError) -> String {
    // The base of a declaration is worked out first, as the closure cannot change `left`.
    let base = try anonymousBase(of: id)
    let written: String? =
      if let base { try body(of: base, depth: depth, left: &left) } else { nil }
    return try btf.declaration(of: id, name: name, depth: 0) { (type, keyword) throws(EBPFError) in
      if let written, type.id == base?.id { return written }
      return type.isAnonymous ? "\(keyword) {...}" : try "\(keyword) \(btf.name(of: type))"
    }
  }

  /// The anonymous type at the end of a declaration's pointers and arrays; nil if it has a name.
  private func anonymousBase(of id: UInt32) throws(EBPFError) -> BTFType? {
    var id = id
    for _ in 0..<BTF.depthLimit {
      let type = try btf.type(id)
      switch type.kind {
      case .const, .volatile, .restrict, .typeTag, .pointer: id = type.sizeOrType
      case .array: id = try btf.array(of: type).elementID
      case .structure, .union, .enumeration, .enumeration64:
        return type.isAnonymous ? type : nil
      default: return nil
      }
    }
    throw btf.tooDeep(id)
  }

  private func body(
    of type: BTFType, depth: Int, left: inout Int
  ) throws(EBPFError) -> String {
    guard depth < BTF.depthLimit else { throw btf.tooDeep(type.id) }
    guard left >= type.count else {
      throw EBPFError(
        .tooLarge, "a definition of more than \(Self.recordLimit) lines", context: [.type(type.id)])
    }
    left -= type.count
    let indent = String(repeating: "\t", count: depth)
    let name = type.isAnonymous ? "" : try " " + btf.name(of: type)
    if type.kind.isEnumeration {
      var lines = ["enum\(name) {"]
      for enumerator in try btf.enumerators(of: type) {
        lines.append(
          "\(indent)\t\(try btf.string(at: enumerator.nameOffset)) = \(enumerator.text),")
      }
      return (lines + ["\(indent)}"]).joined(separator: "\n")
    }
    var lines = ["\(type.kind == .union ? "union" : "struct")\(name) {"]
    for member in try btf.members(of: type) {
      let field = try declaration(
        of: member.typeID, name: btf.string(at: member.nameOffset), depth: depth + 1, left: &left)
      let width = member.bitFieldSize == 0 ? "" : ": \(member.bitFieldSize)"
      lines.append("\(indent)\t\(field)\(width);")
    }
    return (lines + ["\(indent)}"]).joined(separator: "\n")
  }
}
