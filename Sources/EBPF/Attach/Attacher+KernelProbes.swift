internal import EBPFSystem

extension Attacher {
  func attach(to probe: KernelProbe) throws(EBPFError) -> Link {
    try requireName(probe.function, of: "function")
    guard !probe.function.contains(where: { $0.isWhitespace || $0 == "/" || $0 == ":" }) else {
      throw EBPFError(.invalidArgument, "'\(probe.function)' is not a kernel function's name")
    }
    if isKernelMulti {
      guard probe.offset == 0 else {
        throw EBPFError(
          .invalidArgument,
          "a program for many functions runs at their start, not at +\(probe.offset)",
          hint: "put it into section kprobe")
      }
      return try attach(toAll: [probe.function], atReturn: probe.atReturn)
    }
    guard try hasKernelProbes() else {
      throw EBPFError(
        .unsupported, "this kernel has no kprobes (CONFIG_KPROBES is off): \(point)",
        context: [
          .other("tried", "/sys/bus/event_source/devices/kprobe: ENOENT"),
          .other("tried", "kprobe_events in tracefs: ENOENT"),
        ],
        hint: "use a tracepoint, tp_btf or uprobe instead")
    }
    let request = ProbeRequest(
      unit: "kprobe", name: probe.function, offset: probe.offset, atReturn: probe.atReturn)
    return try attach([request]) { (error, mechanism) in explain(error, mechanism, probe) }
  }

  /// A kernel with kprobes has the performance unit, or at least the file in tracefs.
  func hasKernelProbes() throws(EBPFError) -> Bool {
    if try ProbeUnit.named("kprobe") != nil { return true }
    let tracefs: Tracefs
    // Without tracefs nobody knows; the attempt will say so.
    do throws(EBPFError) { tracefs = try Tracefs.mounted() } catch { return true }
    return FileSystem.exists(tracefs.directory + "/kprobe_events")
  }

  private func explain(
    _ error: Errno, _ mechanism: Link.Mechanism, _ probe: KernelProbe
  ) -> EBPFError? {
    let failure = error.failure(of: mechanism == .tracefs ? "write" : "perf_event_open")
    switch error {
    case .noEntry:
      return EBPFError(
        .notFound, "the kernel has no function '\(probe.function)' to probe", systemCall: failure,
        hint: similarFunctions(to: probe.function) ?? Self.unknownFunctionHint)
    case .addressNotAvailable: return severalFunctions(probe, failure)
    case .illegalSequence:
      return EBPFError(
        .invalidArgument, "no instruction of '\(probe.function)' starts at +\(probe.offset)",
        systemCall: failure, hint: "'objdump -d' of the kernel shows where instructions start")
    case .badAddress where mechanism != .tracefs:
      return EBPFError(
        .invalidArgument, "'\(probe.function)+\(probe.offset)' is not a place to probe",
        systemCall: failure)
    case .invalid where mechanism != .tracefs:
      return EBPFError(
        .invalidArgument, "the kernel does not allow a probe at \(probe)", systemCall: failure,
        hint: "the function is one the kernel keeps probes out of (see "
          + "/sys/kernel/debug/kprobes/blacklist), or the offset is not an instruction's start")
    case .invalid:
      if let several = severalFunctions(probe, failure) { return several }
      return EBPFError(
        .notFound, "the kernel takes no probe at \(probe)", systemCall: failure,
        hint: similarFunctions(to: probe.function)
          ?? "the function does not exist, or is one the kernel keeps probes out of")
    case .accessDenied:
      return mechanism == .tracefs ? nil : PerfEventLimits.denied(error, "\(probe)")
    case .notPermitted where mechanism != .tracefs:
      return EBPFError(
        .denied, "the kernel does not let this process probe \(probe)", systemCall: failure,
        hint: "EPERM comes from kernel lockdown or seccomp, not from capabilities")
    case .exists, .busy:
      return EBPFError(.exists, "a probe of that name exists already", systemCall: failure)
    default: return nil
    }
  }

  /// Newer kernels (6.7, and older ones' later releases) take only names that mean one function. Nil
  /// when it does, or when nobody knows.
  private func severalFunctions(
    _ probe: KernelProbe, _ failure: EBPFError.SystemCallFailure
  ) -> EBPFError? {
    let start = "_text"
    var places: [UInt64] = []
    do throws(EBPFError) {
      guard let base = try KernelSymbolNames.addresses(of: [start])[start] else { return nil }
      let wanted = Array(probe.function.utf8)
      try KernelSymbolNames.forEachFunction { (address, name) in
        if address >= base, name.elementsEqual(wanted) { places.append(address - base) }
      }
    } catch { return nil }
    guard places.count > 1 else { return nil }
    let choices = places.sorted().prefix(4).map {
      "\(start)+0x" + String($0 &+ probe.offset, radix: 16)
    }
    return EBPFError(
      .invalidArgument, "the kernel has several functions '\(probe.function)'",
      systemCall: failure, hint: "name one by its place: " + choices.joined(separator: " or "))
  }

  static let unknownFunctionHint =
    "grep for it in /proc/kallsyms: the compiler may have inlined or renamed it"

  func similarFunctions(to name: String) -> String? {
    do throws(EBPFError) {
      return NearNames.hint(for: name, in: try KernelSymbolNames.functions())
    } catch { return nil }
  }
}
