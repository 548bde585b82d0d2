/// What an object's BTF says of the object itself, gathered in one pass over its types.
struct ObjectTypes {
  /// Data sections by name; of several with one name the first.
  private(set) var dataSections: [String: UInt32] = [:]
  /// Extern variables and functions by name.
  private(set) var externs: [String: BTFType] = [:]
  /// The data section that lists a variable, by the variable's id.
  private(set) var sections: [UInt32: String] = [:]
  /// The name of the exception callback of a function, by the function's id.
  private(set) var exceptionCallbacks: [UInt32: String] = [:]

  /// The tag that names an exception callback (`__exception_cb` of libbpf's `bpf_helpers.h`).
  private static let callbackTag = "exception_callback:"

  init(_ btf: BTF) throws(EBPFError) {
    for id in btf.firstID..<btf.typeCount {
      let type = try btf.type(id)
      switch type.kind {
      case .variable where try btf.variableLinkage(of: type) == .extern,
        .function where type.functionLinkage == .extern:
        externs[try btf.shortName(of: type)] = type
      case .dataSection:
        let name = try btf.shortName(of: type)
        if dataSections[name] == nil { dataSections[name] = id }
        // Only these two list externs.
        guard name == ".kconfig" || name == ".ksyms" else { continue }
        for entry in try btf.variables(of: type) where sections[entry.typeID] == nil {
          sections[entry.typeID] = name
        }
      case .declarationTag where try btf.tagComponent(of: type) == -1:
        let name = try btf.shortName(of: type)
        guard name.hasPrefix(Self.callbackTag),
          try btf.type(type.referencedID).kind == .function
        else { continue }
        exceptionCallbacks[type.referencedID] = String(name.dropFirst(Self.callbackTag.count))
      default: break
      }
    }
  }
}
