import EBPFSystem

/// What `ebpf check --least-privilege` says.
struct LeastPrivilegeReport {
  let found: LeastPrivilege

  private var names: String { found.tracers.map(\.rawValue).joined(separator: ", ") }

  /// For a person.
  var text: String {
    guard found.canStart else {
      return """
        \(names): not all start here, even with everything that this process has
          ebpf check --for \(names.replacing(", ", with: ",")) says why

        """
    }
    let style = Style.forStream(.output)
    let column = (found.needed + found.useful).map(\.capability.name.count).max() ?? 0
    var text = style.bold("\(names): as any user, with") + "\n"
    if found.needed.isEmpty { text += "  no capability\n" }
    for part in found.needed { text += "  \(part.capability.name)\n" }
    if !found.useful.isEmpty {
      text += "\n" + style.bold("better with") + "\n"
      for part in found.useful {
        let padding = String(repeating: " ", count: column - part.capability.name.count + 2)
        text += "  \(part.capability.name)\(padding)else \(part.reason)\n"
      }
    }
    let all = (found.needed + found.useful).map(\.capability.name)
    let short = all.map { String($0.dropFirst("CAP_".count)) }.joined(separator: ", ")
    text +=
      "\n" + style.bold("systemd") + "     AmbientCapabilities=\(all.joined(separator: " "))\n"
    text += style.bold("Kubernetes") + "  capabilities: {drop: [ALL], add: [\(short)]}\n"
    return text
  }

  /// `--json`.
  var document: Document { Document(self) }

  /// The document.
  struct Document: Encodable {
    struct Part: Encodable {
      let capability: String
      let without: String
    }
    let tracers: [String]
    let canStart: Bool
    let needed: [Part]
    let useful: [Part]
    let trials: Int

    init(_ report: LeastPrivilegeReport) {
      tracers = report.found.tracers.map(\.rawValue)
      canStart = report.found.canStart
      needed = report.found.needed.map {
        Part(capability: $0.capability.name, without: $0.reason)
      }
      useful = report.found.useful.map {
        Part(capability: $0.capability.name, without: $0.reason)
      }
      trials = report.found.trials
    }
  }
}
