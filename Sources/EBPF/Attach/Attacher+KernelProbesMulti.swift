internal import EBPFSystem

// Many kernel functions through one link.

extension Attacher {
  func attach(toAll functions: [String], atReturn: Bool) throws(EBPFError) -> Link {
    guard !functions.isEmpty else {
      throw EBPFError(.invalidArgument, "there are no functions to attach to")
    }
    for name in functions { try requireName(name, of: "function") }
    guard isKernelMulti else {
      throw EBPFError(
        .invalidArgument, "the program was not loaded to run at many functions",
        hint: "put it into section kprobe.multi, or set its attach type before loading; Linux 5.18")
    }
    let selection = try FunctionSelection(of: functions)
    let request = LinkRequest(
      program: descriptor, target: 0, attachType: program.attachType.rawValue,
      detail: .kprobeMulti(
        flags: atReturn ? 1 : 0,  // BPF_F_KPROBE_MULTI_RETURN
        symbols: selection.names, addresses: selection.addresses,
        cookies: point.cookie == 0
          ? [] : [UInt64](repeating: point.cookie, count: selection.count)))
    do throws(Errno) {
      return link(try kernel.createLink(request), by: .kprobeMulti)
    } catch { throw try explain(error, functions, atReturn: atReturn) }
  }

  /// Whether the program was loaded to run at many kernel functions.
  var isKernelMulti: Bool {
    program.attachType == .traceKprobeMulti || program.attachType == .traceKprobeSession
  }

  private func explain(
    _ error: Errno, _ functions: [String], atReturn: Bool
  ) throws(EBPFError) -> EBPFError {
    let failure = error.failure(of: "bpf(BPF_LINK_CREATE)")
    switch error {
    case .notSupported, .notSupportedInternal:
      let section = atReturn ? "kretprobe" : "kprobe"
      return EBPFError(
        .unsupported,
        "this kernel has no probes of many functions (CONFIG_FPROBE is off): \(point)",
        systemCall: failure,
        hint: try hasKernelProbes()
          ? "load the program as '\(section)', by its section or its attach type, and attach it to "
            + "each function"
          : "use a tracepoint, tp_btf or uprobe instead")
    case .noProcess, .noEntry:
      if functions.count == 1 {
        return EBPFError(
          .notFound, "the kernel has no function '\(functions[0])' to probe", systemCall: failure,
          hint: similarFunctions(to: functions[0]) ?? Self.unknownFunctionHint)
      }
      return EBPFError(
        .notFound, "the kernel has no function to probe for one of \(point)", systemCall: failure,
        hint: "available_filter_functions in tracefs lists those it can trace")
    case .invalid:
      return EBPFError(
        .unsupported, "the kernel does not probe every function of \(point)", systemCall: failure,
        hint: "kprobe.multi needs Linux 5.18, and functions the kernel can trace "
          + "(available_filter_functions in tracefs)")
    default: return refusal(error, "\(point)", failure)
    }
  }
}
