import ArgumentParser
import EBPF
import EBPFSystem

/// `ebpf check`.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    _superCommandName: "ebpf",
    abstract: "Find out what this system can do with BPF, by trying.",
    discussion: """
      Asks the kernel for each thing instead of guessing from its version: loads programs of two \
      instructions, makes small maps, opens performance events. Each row says yes, no or unknown, \
      with the reason and, where something can be done about it, the remedy. Nothing stays loaded.

      The answers hold for the user who asks. Compare them between users, or inside and outside \
      of a container.

      EXAMPLES
        ebpf check
        ebpf check --for profile && ebpf profile -o profile.html
        ebpf check --json | jq -r '.rows[] | select(.verdict == "no") | .name'
        sudo setpriv --bounding-set=-all,+bpf,+perfmon ebpf check
        sudo ebpf check --least-privilege profile,network

      EXIT STATUS
        0   Linux 5.8 or newer which lets this user load programs, and every tracer named \
      by --for can run
        1   not so
        64  wrong usage

      PRIVILEGES
        None needed to ask. CAP_BPF and CAP_PERFMON, or root, for most to be a yes.
      """)

  /// The tracers that --for knows.
  enum Tracer: String, CaseIterable {
    case profile, network, syscalls, memory
  }

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      "Tracers that must be able to run: profile, network, syscalls, memory.",
      valueName: "names"),
    completion: .list(Tracer.allCases.map(\.rawValue)))
  var tracers: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Find the fewest capabilities for these tracers, by trying as another user; needs root.",
      valueName: "names"),
    completion: .list(Tracer.allCases.map(\.rawValue)))
  var leastPrivilege: String?

  @Option(help: .hidden)
  var trial: String?

  @Flag(help: "Print one JSON document.")
  var json = false

  /// The names given by all --for options, each of which may be a list.
  private var names: [String] {
    tracers.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }

  private var leastNames: [String] {
    leastPrivilege.map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    } ?? []
  }

  func validate() throws {
    if trial != nil, leastPrivilege == nil { throw ValidationError("--trial is not for people") }
    for name in names + leastNames where Tracer(rawValue: name) == nil {
      let known = Tracer.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("there is no tracer '\(name)'; choose from \(known)")
    }
  }

  func run() throws {
    let few = leastNames.compactMap(Tracer.init(rawValue:))
    if let trial {
      let mask = UInt64(trial, radix: 16) ?? 0
      let kept = Set(Capability.allCases.filter { mask >> $0.rawValue & 1 == 1 })
      throw ExitCode(
        PrivilegeTrial(tracers: few, kept: kept, other: CurrentProcess.parent).run().status)
    }
    guard few.isEmpty else { return try findLeastPrivilege(of: few) }
    let check = SystemCheck.run()
    let asked = Set(names)
    let isFine =
      check.isCompatible
      && check.tracers.allSatisfy { !asked.contains($0.name) || $0.canRun }
      && asked.isSubset(of: check.tracers.map(\.name))
    try Output.result(
      json
        ? JSONDocument.text(CheckDocument(check, isFine: isFine))
        : CheckText(check).text(asked: asked, isFine: isFine))
    if !isFine { throw ExitCode.no }
  }

  private func findLeastPrivilege(of tracers: [Tracer]) throws {
    let report: LeastPrivilegeReport
    do throws(EBPFError) { report = LeastPrivilegeReport(found: try LeastPrivilege(tracers)) } catch
    {
      throw Output.failure(error, json: json)
    }
    try Output.result(json ? JSONDocument.text(report.document) : report.text)
    if !report.found.canStart { throw ExitCode.no }
  }
}
