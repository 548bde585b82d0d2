// Types as C writes them, on one line.

extension BTF {
  /// The type as C names it: `struct task_struct *`, `const char[16]`, `int (*)(void *)`.
  public func typeName(_ id: UInt32) throws(EBPFError) -> String {
    try declaration(of: id, name: "")
  }

  /// A declaration of `name` with this type: `char name[16]`.
  ///
  /// An anonymous struct, union or enumeration is shown as `struct {...}`.
  public func declaration(of id: UInt32, name: String) throws(EBPFError) -> String {
    try declaration(of: id, name: name, depth: 0) { (type, keyword) throws(EBPFError) in
      type.isAnonymous ? "\(keyword) {...}" : "\(keyword) \(try self.name(of: type))"
    }
  }

  /// The same, with `tagged` spelling structs, unions and enumerations.
  func declaration(
    of id: UInt32, name: String, depth: Int,
    tagged: (BTFType, String) throws(EBPFError) -> String
  ) throws(EBPFError) -> String {
    var (declarator, id) = (name, id)
    // A qualifier belongs before the base type, but after the star of a pointer.
    var isAfterPointer = false
    var qualifiers: [String] = []
    for _ in 0..<Self.depthLimit {
      let type = try type(id)
      switch type.kind {
      case .const, .volatile, .restrict:
        qualifiers.append(type.kind.kernelName.lowercased())
        id = type.sizeOrType
      case .typeTag, .declarationTag, .variable:
        id = type.sizeOrType
      case .pointer:
        var words = ""
        for qualifier in qualifiers { words += words.isEmpty ? qualifier : " " + qualifier }
        qualifiers = []
        let space = words.isEmpty || declarator.isEmpty ? "" : " "
        declarator = "*\(words)\(space)\(declarator)"
        isAfterPointer = true
        id = type.sizeOrType
      case .array:
        let array = try array(of: type)
        let count = array.count == 0 ? "" : String(array.count)
        declarator = (isAfterPointer ? "(\(declarator))" : declarator) + "[\(count)]"
        isAfterPointer = false
        id = array.elementID
      case .functionPrototype, .function:
        guard type.kind == .functionPrototype else {
          id = type.sizeOrType
          continue
        }
        let list = try parameterList(of: type, depth: depth, tagged: tagged)
        declarator = (isAfterPointer ? "(\(declarator))" : declarator) + "(\(list))"
        isAfterPointer = false
        id = type.sizeOrType
      default:
        let base = try baseName(of: type, tagged: tagged)
        var words = base
        for qualifier in qualifiers { words = qualifier + " " + words }
        // `int[4]` and `int (*)(void)`: an array's bracket follows at once, all else after a space.
        let separator = declarator.isEmpty || declarator.hasPrefix("[") ? "" : " "
        return words + separator + declarator
      }
    }
    throw tooDeep(id)
  }

  private func baseName(
    of type: BTFType, tagged: (BTFType, String) throws(EBPFError) -> String
  ) throws(EBPFError) -> String {
    switch type.kind {
    case .void: "void"
    case .structure: try tagged(type, "struct")
    case .union: try tagged(type, "union")
    case .enumeration, .enumeration64: try tagged(type, "enum")
    case .forward: "\(type.kindFlag ? "union" : "struct") \(try name(of: type))"
    default: try name(of: type)
    }
  }

  private func parameterList(
    of type: BTFType, depth: Int, tagged: (BTFType, String) throws(EBPFError) -> String
  ) throws(EBPFError) -> String {
    // Functions that take functions: deeper than this, the name is of no use to a reader.
    guard depth < 4 else { return "..." }
    let parameters = try parameters(of: type)
    if parameters.isEmpty { return "void" }
    var list: [String] = []
    for (index, parameter) in parameters.enumerated() {
      let isLast = index == parameters.count - 1
      if parameter.typeID == 0, parameter.nameOffset == 0, isLast {
        list.append("...")
      } else {
        list.append(
          try declaration(
            of: parameter.typeID, name: string(at: parameter.nameOffset), depth: depth + 1,
            tagged: tagged))
      }
    }
    return list.joined(separator: ", ")
  }
}
