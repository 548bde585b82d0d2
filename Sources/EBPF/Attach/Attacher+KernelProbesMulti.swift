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
    let names = try functions.flatMapped { (name) throws(EBPFError) in
      Glob.isPattern(name) ? try TraceableFunctions.matching(name) : [name]
    }
    let request = LinkRequest(
      program: descriptor, target: 0, attachType: program.attachType.rawValue,
      detail: .kprobeMulti(
        flags: atReturn ? 1 : 0,  // BPF_F_KPROBE_MULTI_RETURN
        symbols: names, addresses: [],
        cookies: point.cookie == 0 ? [] : [UInt64](repeating: point.cookie, count: names.count)))
    do throws(Errno) {
      return link(try kernel.createLink(request), by: .kprobeMulti)
    } catch { throw explain(error, names) }
  }

  /// Whether the program was loaded to run at many kernel functions.
  var isKernelMulti: Bool {
    program.attachType == .traceKprobeMulti || program.attachType == .traceKprobeSession
  }

  private func explain(_ error: Errno, _ names: [String]) -> EBPFError {
    let failure = error.failure(of: "bpf(BPF_LINK_CREATE)")
    switch error {
    case .notSupported, .notSupportedInternal:
      return EBPFError(
        .unsupported,
        "this kernel has no probes of many functions (CONFIG_FPROBE is off): \(point)",
        systemCall: failure, hint: "use a tracepoint, tp_btf or uprobe instead")
    case .noProcess, .noEntry:
      return EBPFError(
        .notFound, "the kernel has no function to probe for one of \(point)", systemCall: failure,
        hint: names.count == 1
          ? similarFunctions(to: names[0])
          : "available_filter_functions in tracefs lists those it can trace")
    case .invalid:
      return EBPFError(
        .unsupported, "the kernel does not probe every function of \(point)", systemCall: failure,
        hint: "kprobe.multi needs Linux 5.18, and functions the kernel can trace "
          + "(available_filter_functions in tracefs)")
    default: return refusal(error, "\(point)", failure)
    }
  }
}

extension [String] {
  fileprivate func flatMapped(
    _ transform: (String) throws(EBPFError) -> [String]
  ) throws(EBPFError) -> [String] {
    var result: [String] = []
    for element in self { result += try transform(element) }
    return result
  }
}

/// The functions that the kernel can trace, as tracefs lists them.
enum TraceableFunctions {
  /// Those that a pattern means, sorted; without tracefs, those of all functions.
  static func matching(_ pattern: String) throws(EBPFError) -> [String] {
    let glob = Glob(pattern)
    let all = if let names = listed() { names } else { try KernelSymbolNames.functions() }
    let names = all.filter { glob.matches($0) }
    guard !names.isEmpty else {
      throw EBPFError(.notFound, "no function of the kernel matches '\(pattern)'")
    }
    return Set(names).sorted()
  }

  /// Nil where tracefs does not have the list: the kernel traces no functions, or hides it.
  private static func listed() -> [String]? {
    let text: [UInt8]
    do throws(EBPFError) {
      let path = try Tracefs.mounted().directory + "/available_filter_functions"
      do throws(Errno) { text = try SystemFile.read(path, limit: 64 << 20) } catch { return nil }
    } catch { return nil }
    // `name`, or `name [module]`.
    return text.split(separator: UInt8(ascii: "\n")).map { line in
      String(decoding: line.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
    }
  }
}
