// Names that programs attach to, as the kernel's types have them.

extension KernelTypes {
  /// What stands before the name of such a target, and the kind of its type.
  static func naming(_ attachType: AttachType) -> (prefix: String, kind: BTFKind) {
    switch attachType {
    case .traceRawTracepoint: ("btf_trace_", .typedef)
    case .lsm, .lsmCgroup: ("bpf_lsm_", .function)
    case .traceIterator: ("bpf_iter_", .function)
    default: ("", .function)
    }
  }

  /// `did you mean …?` for a target that the kernel itself does not have; nil when nothing is near.
  func nearNames(to name: String, for attachType: AttachType) -> String? {
    let (prefix, kind) = Self.naming(attachType)
    do throws(EBPFError) {
      let types = try vmlinux()
      var names: [String] = []
      for id in 1..<max(1, types.typeCount) {
        let type = try types.type(id)
        guard type.kind == kind else { continue }
        let full = try types.name(of: type)
        if full.hasPrefix(prefix) { names.append(String(full.dropFirst(prefix.count))) }
      }
      return NearNames.hint(for: name, in: names)
    } catch { return nil }
  }

  static func missingHint(_ attachType: AttachType) -> String {
    naming(attachType).prefix.isEmpty
      ? "check the spelling; functions that were inlined have no BTF"
      : "check the spelling, and whether this kernel was built with it"
  }
}
