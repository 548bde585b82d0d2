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
    // A long list of what works is one paragraph, and so is what has one reason not to.
    let lists = Dictionary(grouping: rows, by: Verdict.init)
      .filter { $0.key.verdict == .yes ? rows.count > 14 : $0.value.count > 2 }
    let alone = rows.filter { lists[Verdict($0)] == nil }
    let column = alone.map(\.name.count).max() ?? 0
    var told: Set<Verdict> = []
    for row in rows {
      let verdict = Verdict(row)
      if let list = lists[verdict] {
        if told.insert(verdict).inserted { text += paragraph(list, verdict) }
        continue
      }
      let padding = String(repeating: " ", count: column - row.name.count + 2)
      let reason = row.reason.isEmpty ? "" : padding + PlainText.line(row.reason)
      text += "  " + mark(row.verdict) + PlainText.line(row.name) + reason + "\n"
      if let remedy = verdict.remedy { text += self.remedy(remedy, column: column + 2) }
    }
    return text
  }

  /// Rows of one verdict: their names, and once what they share.
  private func paragraph(_ rows: [SystemCheck.Row], _ verdict: Verdict) -> String {
    var text = "  " + mark(verdict.verdict)
    text += hanging(PlainText.wrapped(rows.map(\.name), width: width - 2 - markWidth), column: 0)
    if !verdict.reason.isEmpty { text += indent(0) + PlainText.line(verdict.reason) + "\n" }
    if let remedy = verdict.remedy { text += self.remedy(remedy, column: 0) }
    return text
  }

  /// What rows that are told together have in common. A yes needs no reason.
  private struct Verdict: Hashable {
    let verdict: KernelFeatures.Answer.Verdict
    let reason: String
    let remedy: String?

    init(_ row: SystemCheck.Row) {
      verdict = row.verdict
      reason = row.verdict == .yes ? "" : row.reason
      remedy = row.verdict == .yes ? nil : row.remedy
    }
  }

  private func tracers(_ asked: Set<String>) -> String {
    var text = style.bold("tracers") + "\n"
    let column = (check.tracers.map(\.name.count).max() ?? 0) + 2
    let room = width - 2 - markWidth - column
    for tracer in check.tracers {
      let padding = String(repeating: " ", count: column - tracer.name.count)
      var hooks = tracer.hooks.compactMap { hook in hook.used.map { "\(hook.need) by \($0)" } }
      let missing = tracer.hooks.filter { $0.used == nil }.map(\.need)
      if !missing.isEmpty { hooks.append("no hook for " + missing.joined(separator: ", ")) }
      text += "  " + mark(tracer.canRun ? .yes : .no) + tracer.name + padding
      text += hanging(wrapped(hooks.joined(separator: "; "), width: room), column: column)
      for (why, refused) in refusals(tracer) {
        for line in wrapped("not \(refused.joined(separator: "; ")): \(why)", width: room) {
          text += indent(column) + style.dim(line) + "\n"
        }
      }
    }
    return text
  }

  /// The ways that do not work, those with one reason together.
  private func refusals(_ tracer: SystemCheck.Tracer) -> [(why: String, hooks: [String])] {
    var reasons: [(why: String, hooks: [String])] = []
    for refusal in tracer.hooks.flatMap(\.refused) {
      if let known = reasons.firstIndex(where: { $0.why == refusal.why }) {
        reasons[known].hooks.append(refusal.hook)
      } else {
        reasons.append((refusal.why, [refusal.hook]))
      }
    }
    return reasons
  }

  private func wrapped(_ text: String, width: Int) -> [String] {
    PlainText.wrapped(text.split(separator: " ").map(String.init), separator: "", width: width)
  }

  private func remedy(_ remedy: String, column: Int) -> String {
    indent(column) + style.dim((hasMarks ? "→ " : "> ") + PlainText.line(remedy)) + "\n"
  }

  private func hanging(_ lines: [String], column: Int) -> String {
    lines.joined(separator: "\n" + indent(column)) + "\n"
  }

  private func indent(_ column: Int) -> String {
    String(repeating: " ", count: 2 + markWidth + column)
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
