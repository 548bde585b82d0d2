import EBPF
import EBPFSystem

/// Finds the fewest capabilities that tracers start with, and those that make them better, by trying.
struct LeastPrivilege {
  /// A capability, and what does not work without it.
  struct Part: Hashable {
    let capability: Capability
    let reason: String
  }

  let tracers: [CheckCommand.Tracer]
  /// Without one of these a tracer does not start.
  private(set) var needed: [Part] = []
  /// Without one of these it tells less.
  private(set) var useful: [Part] = []
  /// False when the tracers do not start with everything that this process has.
  private(set) var canStart = false
  /// How many processes were started to find out.
  private(set) var trials = 0

  /// Tries. Needs root, or the capabilities that it is about and CAP_SETUID.
  init(_ tracers: [CheckCommand.Tracer]) throws(EBPFError) {
    self.tracers = tracers
    let all: Set<Capability>
    do throws(Errno) { all = try CurrentProcess.capabilities() } catch {
      throw EBPFError(
        .system, "cannot tell which capabilities this process has",
        systemCall: .init(call: "capget", errno: error.rawValue, name: error.name))
    }
    let most = try attempt(all)
    canStart = most.contains(.starts)
    guard canStart else { return }
    let least = try reduce(all, keeping: .starts)
    for capability in order where least.contains(capability) {
      needed.append(Part(capability: capability, reason: "does not start without"))
    }
    let best = try reduce(all, keeping: most)
    for capability in order where best.contains(capability) && !least.contains(capability) {
      let lost = most.subtracting(try attempt(best.subtracting([capability])))
      useful.append(Part(capability: capability, reason: LeastPrivilege.text(of: lost)))
    }
  }

  /// The widest first, so that it goes when narrower ones are enough.
  private var order: [Capability] {
    let widest: [Capability] = [.systemAdministration, .systemResources, .networkAdministration]
    return widest + Capability.allCases.filter { !widest.contains($0) }
  }

  /// Leaves out one after the other as long as everything in `findings` still works.
  private mutating func reduce(
    _ all: Set<Capability>, keeping findings: PrivilegeTrial.Findings
  ) throws(EBPFError) -> Set<Capability> {
    var kept = all
    for capability in order where kept.contains(capability) {
      let fewer = kept.subtracting([capability])
      if try attempt(fewer).isSuperset(of: findings) { kept = fewer }
    }
    return kept
  }

  /// What works with these, found by another process of this program.
  private mutating func attempt(
    _ capabilities: Set<Capability>
  ) throws(EBPFError) -> PrivilegeTrial.Findings {
    trials += 1
    let mask = capabilities.reduce(0 as UInt64) { $0 | 1 << $1.rawValue }
    let arguments = [
      "/proc/self/exe", "check", "--least-privilege",
      tracers.map(\.rawValue).joined(separator: ","), "--trial", String(mask, radix: 16),
    ]
    do throws(Errno) {
      let child = try ChildProcess(arguments)
      try child.release()
      guard case .exited(let status) = try child.wait() else { return [] }
      return PrivilegeTrial.Findings(status: status) ?? []
    } catch {
      throw EBPFError(
        .system, "cannot try with other capabilities",
        systemCall: .init(call: "execvp", errno: error.rawValue, name: error.name),
        hint: "it runs this program again, by /proc/self/exe")
    }
  }

  private static func text(of findings: PrivilegeTrial.Findings) -> String {
    var parts: [String] = []
    if findings.contains(.bestHooks) { parts.append("a hook is replaced by a second choice") }
    if findings.contains(.kernelNames) { parts.append("the kernel's functions have no names") }
    if findings.contains(.otherProcesses) {
      parts.append("functions in other users' processes have no names")
    }
    if findings.contains(.mappedFiles) {
      parts.append("functions in files that were replaced or are in another mount have none")
    }
    if findings.contains(.closedFolders) {
      parts.append("functions in files below folders that only their owner may enter have none")
    }
    return parts.joined(separator: "; ")
  }
}
