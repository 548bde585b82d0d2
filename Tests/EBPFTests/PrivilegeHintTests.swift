import EBPFSystem
import Testing

@testable import EBPF

@Suite struct PrivilegeHintTests {
  private func status(_ capabilities: [Capability], seccomp: Int = 0) -> ProcessStatus {
    var status = ProcessStatus(parsing: "")
    status.effectiveCapabilities = capabilities.reduce(0) { $0 | 1 << $1.rawValue }
    status.seccomp = seccomp
    return status
  }

  @Test func `what is missing is named, and only that`() {
    #expect(
      EBPFError.privilegeHint(needs: [.bpf, .performanceMonitoring], status: status([.bpf]))
        == "run as root, or with CAP_BPF and CAP_PERFMON; this process lacks CAP_PERFMON")
  }

  @Test func `with every capability a seccomp filter or a policy must have refused`() {
    #expect(
      EBPFError.privilegeHint(needs: [.bpf], status: status([.bpf], seccomp: 2))
        == "the capabilities are there, so a seccomp filter refused the call, as container runtimes"
        + " do: allow bpf and perf_event_open in its profile")
    #expect(
      EBPFError.privilegeHint(needs: [.bpf], status: status([.systemAdministration]))
        == "the capabilities are there, so a policy refused the call: a security module, kernel"
        + " lockdown, or a user namespace that is not the initial one")
  }
}
