package import EBPFSystem

extension EBPFError {
  /// Why the kernel may have answered `EPERM`, for this process as it is now.
  ///
  /// Capabilities only explain: a container's seccomp filter or a security module refuses with the
  /// same number.
  package static func privilegeHint(needs: [Capability]) -> String {
    do throws(Errno) {
      return privilegeHint(needs: needs, status: try ProcessStatus())
    } catch {
      return "run as root, or with " + needs.map(\.name).joined(separator: " and ")
    }
  }

  /// The same for a known status; needs nothing of the machine.
  package static func privilegeHint(needs: [Capability], status: ProcessStatus) -> String {
    let missing = needs.filter { !status.has($0) }
    if missing.isEmpty || status.has(.systemAdministration) {
      if status.seccomp == 2 {
        return "the capabilities are there, so a seccomp filter refused the call, as container"
          + " runtimes do: allow bpf and perf_event_open in its profile"
      }
      return "the capabilities are there, so a policy refused the call: a security module, kernel"
        + " lockdown, or a user namespace that is not the initial one"
    }
    let names = needs.map(\.name).joined(separator: " and ")
    let lacking = missing.map(\.name).joined(separator: " and ")
    return "run as root, or with \(names); this process lacks \(lacking)"
  }
}
