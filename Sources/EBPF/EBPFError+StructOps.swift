internal import EBPFSystem

// What an errno means when a kernel structure of functions is made and registered.

extension EBPFError {
  /// `BPF_MAP_CREATE` of a struct_ops map.
  static func creatingStructOps(
    _ spec: MapSpec, _ structure: String, _ errno: Errno
  ) -> EBPFError {
    func error(_ code: Code, _ message: String, _ hint: String?) -> EBPFError {
      refused(
        code, message, call: "bpf(BPF_MAP_CREATE)", errno, context: [.map(spec.name)], hint: hint)
    }
    let hasLink = spec.flags & MapSpec.linkFlag != 0
    switch errno {
    case .notPermitted:
      return error(
        .denied, "the kernel does not let this process implement struct \(structure)",
        privilegeHint(needs: [.bpf, .performanceMonitoring]))
    case .invalid where hasLink:
      return error(
        .unsupported, "the kernel does not take a struct \(structure) that is registered by a link",
        "section .struct_ops.link takes Linux 6.4; .struct_ops does without a link")
    case .notSupported, .notSupportedInternal, .noEntry, .invalid:
      return error(
        .unsupported, "this kernel lets no program implement struct \(structure)",
        "what implements it may be a module that is not loaded, or not built")
    default:
      return error(.system, "no map for struct \(structure): \(errno.text)", nil)
    }
  }

  /// `BPF_MAP_UPDATE_ELEM`, which registers a structure without link, or `BPF_LINK_CREATE`.
  static func registeringStructOps(
    _ ops: StructOps, _ call: String, _ errno: Errno
  ) -> EBPFError {
    let what = "struct \(ops.structure) '\(ops.name)'"
    func error(_ code: Code, _ message: String, _ hint: String?) -> EBPFError {
      refused(code, message, call: call, errno, hint: hint)
    }
    switch errno {
    case .exists:
      return error(
        .exists, "the kernel has another \(what) of this name",
        "give it another name, or unload the other one")
    case .busy:
      return error(
        .exists, "\(what) was registered before, and a map can be registered once",
        "load the object again; section .struct_ops.link (Linux 6.4) has no such limit")
    case .invalid:
      return error(
        .rejected, "the kernel does not accept \(what)",
        "a function or a name that it needs is missing, or a member has a value that it does not "
          + "allow; it does not say which")
    case .notSupported, .notSupportedInternal:
      return error(
        .unsupported, "this kernel does not let \(what) be registered",
        "it gives a member that programs cannot implement there")
    case .notPermitted, .accessDenied:
      return error(
        .denied, "the kernel does not let this process register \(what)",
        privilegeHint(needs: [.bpf, .networkAdministration]))
    default: return error(.system, "\(what) was not registered: \(errno.text)", nil)
    }
  }
}
