// Structures of functions that programs can implement (struct_ops), as the kernel's types have them.

extension KernelTypes {
  /// The structure in the kernel, or in a module, that wraps implementations of `structure`.
  func structOps(_ structure: String) throws(EBPFError) -> Target {
    let name = StructOpsImage.valuePrefix + structure
    if let target = try find(name, .structure) { return target }
    throw EBPFError(
      .notFound, "the kernel has no struct \(structure) that programs can implement",
      hint: NearNames.hintOrList(for: structure, in: try structOpsNames()))
  }

  /// The structures that the kernel lets programs implement.
  private func structOpsNames() throws(EBPFError) -> [String] {
    let types = try vmlinux()
    var names: [String] = []
    for id in 1..<max(1, types.typeCount) {
      let type = try types.type(id)
      guard type.kind == .structure else { continue }
      let name = try types.name(of: type)
      guard name.hasPrefix(StructOpsImage.valuePrefix) else { continue }
      // Others only begin alike: `bpf_struct_ops_common_value`.
      let structure = String(name.dropFirst(StructOpsImage.valuePrefix.count))
      let members = try types.members(of: type)
      guard let data = members.last, try types.string(at: data.nameOffset) == "data",
        try types.name(of: try types.type(data.typeID)) == structure
      else { continue }
      names.append(structure)
    }
    return names.sorted()
  }
}
