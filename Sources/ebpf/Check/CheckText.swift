import EBPF
import EBPFSystem

/// What `ebpf check` says to a person.
struct CheckText {
  private let check: SystemCheck
  private let style = Style.forStream(.output)
  private let width = StandardStream.output.columns ?? 100
  private let hasMarks = ProcessEnvironment.isUTF8

  init(_ check: SystemCheck) { self.check = check }

  /// The whole text, a paragraph for each group of rows and the verdict last.
  func text(asked: Set<String>, isFine: Bool) -> String {
    var groups: [(name: String, rows: [SystemCheck.Row])] = []
    for row in check.rows {
      if groups.last?.name != row.group { groups.append((row.group, [])) }
      groups[groups.count - 1].rows.append(row)
    }
    let release = check.release.isEmpty ? "an unknown release" : check.release
    var text = style.bold("Linux \(PlainText.line(release))") + "  \(check.machine)\n"
    for group in groups { text += "\n" + paragraph(group.name, group.rows) }
    text += "\n" + tracers(asked)
    return text + "\n" + verdict(asked, isFine) + "\n"
  }

  private func paragraph(_ name: String, _ rows: [SystemCheck.Row]) -> String {
    var text = style.bold(name) + "\n"
    // A long list of what works is one paragraph; what does not is told line by line.
    let isLong = rows.count > 14
    let shown = isLong ? rows.filter { $0.verdict != .yes } : rows
    if isLong {
      let names = rows.filter { $0.verdict == .yes }.map(\.name)
      let indent = String(repeating: " ", count: 2 + markWidth)
      for (index, line) in PlainText.wrapped(names, width: width - indent.count).enumerated() {
        text += (index == 0 ? "  " + mark(.yes) : indent) + line + "\n"
      }
    }
    let column = shown.map(\.name.count).max() ?? 0
    for row in shown {
      let padding = String(repeating: " ", count: column - row.name.count + 2)
      let reason = row.reason.isEmpty ? "" : padding + PlainText.line(row.reason)
      text += "  " + mark(row.verdict) + PlainText.line(row.name) + reason + "\n"
      if let remedy = row.remedy, row.verdict != .yes {
        let indent = String(repeating: " ", count: 2 + markWidth + column + 2)
        text += indent + style.dim((hasMarks ? "→ " : "> ") + PlainText.line(remedy)) + "\n"
      }
    }
    return text
  }

  private func tracers(_ asked: Set<String>) -> String {
    var text = style.bold("tracers") + "\n"
    let column = check.tracers.map(\.name.count).max() ?? 0
    for tracer in check.tracers {
      let padding = String(repeating: " ", count: column - tracer.name.count + 2)
      let hooks = tracer.hooks.map { hook in
        hook.used.map { "\(hook.need) by \($0)" } ?? "no way to \(hook.need)"
      }
      text += "  " + mark(tracer.canRun ? .yes : .no) + tracer.name + padding
      text += PlainText.line(hooks.joined(separator: "; ")) + "\n"
      let indent = String(repeating: " ", count: 2 + markWidth + column + 2)
      for refusal in tracer.hooks.flatMap(\.refused) {
        text += indent + style.dim(PlainText.line("not \(refusal.hook): \(refusal.why)")) + "\n"
      }
    }
    return text
  }

  private func verdict(_ asked: Set<String>, _ isFine: Bool) -> String {
    if isFine { return style.green("compatible") }
    let unable = check.tracers.filter { asked.contains($0.name) && !$0.canRun }.map(\.name)
    let reason =
      check.isCompatible
      ? "cannot run " + unable.joined(separator: ", ")
      : "see the rows that say no under 'kernel' and 'privileges'"
    return style.red("not compatible") + ": " + reason
  }

  // MARK: - Marks

  private var markWidth: Int { hasMarks ? 11 : 9 }

  private func mark(_ verdict: KernelFeatures.Answer.Verdict) -> String {
    let word = verdict.rawValue
    let padded = word + String(repeating: " ", count: 9 - word.count)
    return switch verdict {
    case .yes: style.green((hasMarks ? "✓ " : "") + padded)
    case .no: style.red((hasMarks ? "✗ " : "") + padded)
    case .unknown: style.yellow((hasMarks ? "? " : "") + padded)
    }
  }
}

extension ProcessEnvironment {
  /// Whether the locale's characters are Unicode, as setlocale(3) would find out.
  static var isUTF8: Bool {
    for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
      guard let locale = ProcessEnvironment[name], !locale.isEmpty else { continue }
      let name = locale.uppercased()
      return name.hasSuffix("UTF-8") || name.hasSuffix("UTF8")
    }
    return false
  }
}
