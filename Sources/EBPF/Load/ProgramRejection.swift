internal import EBPFSystem

/// Loads one program, asking for the verifier's log only when it is refused, and says what a refusal
/// means.
struct ProgramRejection: Sendable {
  let spec: ProgramSpec
  var request: ProgramRequest
  let sentences: [Int: String]
  let logLimit: Int
  let features: KernelFeatures
  /// The function of another program that it replaces or traces, as C declares it.
  var target: String?
  /// The log of the last attempt, when there was one.
  private(set) var log: VerifierLog?

  init(
    _ spec: ProgramSpec, request: ProgramRequest, sentences: [Int: String], logLimit: Int,
    features: KernelFeatures
  ) {
    self.spec = spec
    self.request = request
    self.sentences = sentences
    self.logLimit = logLimit
    self.features = features
  }

  mutating func load(
    _ kernel: any KernelInterface, level: UInt32
  ) throws(Errno) -> OwnedDescriptor {
    var text = level == 0 ? KernelLog.none : KernelLog(level: level, capacity: 65_536)
    while true {
      do throws(Errno) {
        let descriptor = try kernel.loadProgram(
          request, instructions: spec.instructions, log: &text)
        if text.level != 0 { log = VerifierLog(text.text, sentences: sentences) }
        return descriptor
      } catch {
        if text.level == 0 {
          // Logging makes verification slower, so the first attempt goes without.
          text = KernelLog(level: 1, capacity: 65_536)
          continue
        }
        // Before 6.4 the kernel does not say how much it needs, and keeps the beginning only.
        let isCut = error == .noSpace || Int(text.neededCapacity) > text.capacity
        if isCut, text.capacity < logLimit {
          let needed = max(Int(text.neededCapacity), text.capacity * 4)
          text = KernelLog(level: text.level, capacity: min(needed, logLimit))
          continue
        }
        log = VerifierLog(text.text, isComplete: !isCut, sentences: sentences)
        throw error
      }
    }
  }

  func error(_ errno: Errno) -> EBPFError {
    var error = meaning(of: errno)
    error.systemCall = errno.failure(of: "bpf(BPF_PROG_LOAD)")
    if let log, !log.text.isEmpty { error.verifierLog = log.text }
    return error
  }

  private func meaning(of errno: Errno) -> EBPFError {
    if let log, !log.text.isEmpty, !(errno == .notPermitted && log.isOfNothing) {
      return rejected(log, errno)
    }
    switch errno {
    case .notPermitted, .accessDenied: return denied()
    case .invalid:
      return EBPFError(
        .unsupported, "the kernel does not take a program of type \(spec.type)\(expected)",
        hint: missingFeature() ?? "'ebpf check' shows what this kernel can load")
    case .tooBig:
      return EBPFError(
        .tooLarge, "the program has \(spec.instructions.count) instructions, too many",
        hint: "the kernel takes 1,000,000 of a privileged process, else 4,096")
    case .notSupported, .notSupportedInternal:
      return EBPFError(
        .unsupported, "this kernel cannot load a program of type \(spec.type)\(expected)",
        hint: missingFeature())
    case .noMemory:
      return EBPFError(
        .system, "the kernel has no memory for the program",
        hint: "before Linux 5.11 programs count against RLIMIT_MEMLOCK: raise it (ulimit -l)")
    default: return EBPFError(.system, "the kernel did not load the program: \(errno.text)")
    }
  }

  private func rejected(_ log: VerifierLog, _ errno: Errno) -> EBPFError {
    if log.reasons.isEmpty, errno == .invalid, spec.type == .tracing || spec.type == .lsm {
      return EBPFError(
        .rejected, "the kernel lets no program run at '\(spec.attachTarget)'",
        hint: "it keeps them out of functions that it needs to run programs")
    }
    var error = EBPFError(.rejected, "the verifier rejected the program: \(log.summary)")
    if let source = log.source { error.context.append(.other("source", source)) }
    if !log.isComplete {
      error.hint = "the log was cut at \(log.text.utf8.count) bytes; raise LoadOptions.logLimit"
    } else if log.reasons.contains(where: { $0.hasPrefix("CO-RE relocation") }) {
      error.hint = "guard the access with bpf_core_field_exists, or load on a kernel that has it"
    } else if log.summary.contains("bpf_probe_read_kernel"), Lockdown.isConfidential {
      error.hint =
        "kernel lockdown is in confidentiality mode, in which programs cannot read kernel "
        + "memory: boot with lockdown=integrity"
    } else if log.text.contains("GPL") {
      error.hint = "declare the license: char LICENSE[] SEC(\"license\") = \"GPL\";"
    } else if spec.type == .replacement, let target, isMismatch(log) {
      error.hint = "declare it as the function that it replaces: \(target)"
    }
    return error
  }

  /// Whether the verifier compared two functions' types.
  private func isMismatch(_ log: VerifierLog) -> Bool {
    log.reasons.contains { reason in
      reason.contains(" while ") || reason.contains("doesn't match type")
    }
  }

  private var expected: String {
    spec.attachType.rawValue == 0 ? "" : " (attach type \(spec.attachType))"
  }

  private func missingFeature() -> String? {
    let type = features.programType(spec.type)
    if type.verdict == .no { return type.reason }
    if let version = spec.attachType.firstKernel, spec.attachType.rawValue != 0 {
      return "attach type \(spec.attachType) exists since Linux \(version)"
    }
    return nil
  }

  /// EPERM without a word from the verifier: who refused?
  private func denied() -> EBPFError {
    let needs = Privileges.needed(for: spec.type)
    let status: ProcessStatus
    do throws(Errno) { status = try ProcessStatus() } catch {
      return EBPFError(
        .denied, "the kernel does not let this process load programs of type \(spec.type)",
        hint: "it takes " + needs.map(\.name).joined(separator: " and ") + ", or root")
    }
    let hasRights = status.has(.systemAdministration) || needs.allSatisfy { status.has($0) }
    if hasRights, request.token == nil, !Privileges.isInInitialUserNamespace {
      return EBPFError(
        .denied, "the kernel lets nobody in a user namespace load programs of type \(spec.type)",
        hint: BPFToken.missing)
    }
    if hasRights, status.seccomp == 0, features.canLoadPrograms.verdict == .yes,
      spec.type == .tracing || spec.type == .lsm || spec.type == .replacement
    {
      let kind = spec.type == .replacement ? "freplace" : "\(spec.attachType)"
      return EBPFError(
        .denied,
        "this kernel's policy refuses \(kind) programs: EPERM, without a word from the "
          + "verifier, although the capabilities are there",
        hint: spec.type == .replacement
          ? "compile the function into the program in place of the old one"
          : "use tp_btf or raw_tp instead")
    }
    return EBPFError(
      .denied, "the kernel does not let this process load programs of type \(spec.type)",
      hint: EBPFError.privilegeHint(needs: needs, status: status))
  }
}
