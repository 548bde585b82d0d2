internal import EBPFSystem

// Programs that replace a function of another program.

extension Attacher {
  /// Another program than the one it was loaded for, or that one once more: what libbpf's
  /// `bpf_program__attach_freplace` does when it is given a program.
  func attach(toFunction name: String, of target: TargetProgram) throws(EBPFError) -> Link {
    try requireName(name, of: "function")
    let function = try target.function(name, isReplaced: true, kernel: kernel)
    do throws(Errno) {
      // The attach type stays 0: the kernel knows a replacement by its program type.
      let request = LinkRequest(
        program: descriptor, target: function.program.number, attachType: 0,
        detail: .tracing(targetTypeID: function.typeID, cookie: 0))
      return link(try kernel.createLink(request), by: .tracingLink)
    } catch {
      var refusal = Self.replacing(name, error, "bpf(BPF_LINK_CREATE)")
      if error == .invalid {
        refusal.message = "the program cannot replace '\(name)' of \(target)"
        refusal.hint =
          "it has to be declared like it: \(function.declaration); and it takes "
          + "Linux 5.10"
      }
      throw refusal
    }
  }

  /// What refusals mean when a program is to take a function's place.
  static func replacing(_ name: String, _ error: Errno, _ call: String) -> EBPFError {
    let failure = error.failure(of: call)
    switch error {
    case .busy:
      return EBPFError(
        .exists, "the function '\(name)' is replaced, or traced, already", systemCall: failure,
        hint: "detach the other program first")
    case .invalid:
      return EBPFError(
        .unsupported, "the program cannot replace '\(name)' once more", systemCall: failure,
        hint: "a program attaches once to what it was loaded for; after that name the target: "
          + "attach(.function(\"\(name)\", of: …))")
    case .notPermitted, .accessDenied:
      return EBPFError(
        .denied, "the kernel does not let this process replace '\(name)'", systemCall: failure,
        hint: EBPFError.privilegeHint(needs: [.bpf, .performanceMonitoring]))
    default:
      return EBPFError(
        .system, "the function '\(name)' was not replaced: \(error.text)", systemCall: failure)
    }
  }
}
