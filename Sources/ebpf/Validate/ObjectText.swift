import EBPF
import EBPFSystem

/// What `ebpf validate` says about one file, to a person.
struct ObjectText {
  let validation: Validation
  let style: Style
  let width: Int
  private var report: ObjectReport { validation.report }

  init(_ validation: Validation) {
    self.validation = validation
    style = .forStream(.output)
    width = StandardStream.output.columns ?? 100
  }

  /// The whole text.
  func text(disassembling: Bool) -> String {
    var parts = [heading]
    if report.object != nil {
      parts += [programs, maps, globals, externs, relocations, minimumKernel]
    }
    if disassembling { parts.append(disassembly()) }
    parts += [findings, verdict]
    // Not joined(separator:): that asks the runtime for conformances for as long as a part takes to write.
    var text = ""
    for part in parts where !part.isEmpty { text += text.isEmpty ? part : "\n" + part }
    return text
  }

  // MARK: - Parts

  private var heading: String {
    let title = style.bold(PlainText.line(report.file)) + "\n"
    guard let object = report.object else { return title }
    return title + "  license " + (report.license.isEmpty ? "none" : PlainText.line(report.license))
      + " · " + (object.btf.map { "BTF \($0.typeCount - 1) types" } ?? "no BTF")
      + " · " + (object.order == .little ? "little-endian" : "big-endian") + "\n"
  }

  private var programs: String {
    let programs = report.programs
    guard !programs.isEmpty else { return "" }
    var table = TextTable(rightAligned: [4])
    table.add("name", "section", "type", "attaches to", "instructions")
    let members = report.structOpsMembers
    // By index: a copy of a program counts a dozen references.
    for index in programs.indices {
      let type = programs[index].spec.attachType
      let target = programs[index].spec.attachTarget
      var place = type.rawValue == 0 ? "" : type.name
      if !place.isEmpty, !target.isEmpty { place += " " }
      place += target
      if let names = members[programs[index].spec.name] { place = names.joined(separator: ", ") }
      if programs[index].spec.type == .replacement { place = "function " + target }
      table.add(
        programs[index].spec.name, programs[index].spec.sectionName, programs[index].spec.type.name,
        place.isEmpty ? "-" : place, Figures.count(UInt64(programs[index].instructionCount)))
    }
    var text = title("programs", programs.count) + header(of: table)
    var calls = Details(self, "calls")
    var helpers = Details(self, "helpers")
    var functions = Details(self, "kfuncs")
    var maps = Details(self, "maps")
    for index in programs.indices {
      table.append(index + 1, to: &text, indent: "  ")
      text += "\n"
      calls.append(programs[index].subprograms, to: &text)
      helpers.append(programs[index].helpers, to: &text) { _ in programs[index].helperNames }
      functions.append(programs[index].kernelFunctions, to: &text)
      maps.append(programs[index].maps, to: &text)
    }
    return text
  }

  private var maps: String {
    guard !report.maps.isEmpty else { return "" }
    var table = TextTable(rightAligned: [2, 3, 4])
    table.add("name", "type", "key", "value", "max entries", "")
    let structOps = Dictionary(report.structOps.map { ($0.map, $0) }) { first, _ in first }
    for map in report.maps { add(map, structOps[map.name], to: &table, indent: "") }
    return section("maps", report.maps.count, table)
  }

  private func add(
    _ map: MapSpec, _ structOps: ObjectReport.StructOps? = nil, to table: inout TextTable,
    indent: String
  ) {
    var notes: [String] = []
    if map.flags != 0 { notes.append("flags 0x" + String(map.flags, radix: 16)) }
    if map.pinning == .byName { notes.append("pinned by name") }
    if let ops = structOps {
      notes.append("implements \(ops.structure)")
      if ops.hasLink { notes.append("registered by a link") }
      if !ops.autocreate { notes.append("made when asked for") }
    }
    table.add(
      indent + (map.name.isEmpty ? "(inner)" : map.name), map.type.name, "\(map.keySize) B",
      Figures.count(UInt64(map.valueSize)) + " B", Figures.count(UInt64(map.maxEntries)),
      notes.joined(separator: ", "))
    for inner in map.inner { add(inner, to: &table, indent: indent + "  ") }
  }

  private var globals: String {
    guard !report.globals.isEmpty else { return "" }
    var table = TextTable(rightAligned: [3, 4])
    table.add("name", "type", "section", "offset", "size")
    for global in report.globals {
      let variable = global.variable
      table.add(
        variable.name, global.typeName, variable.sectionName, "\(variable.offset)",
        Figures.count(UInt64(variable.size)) + " B")
    }
    return section("globals", report.globals.count, table)
  }

  private var externs: String {
    let externs = report.externs
    guard !externs.isEmpty else { return "" }
    var table = TextTable()
    table.add("name", "kind", "")
    for extern in externs {
      table.add(extern.name, extern.kind, extern.isWeak ? "weak: may be missing" : "")
    }
    return section("externs", externs.count, table)
  }

  private var relocations: String {
    let found = report.relocations
    guard found.count > 0 else { return "" }
    var text = style.bold("CO-RE") + "  \(found.count) record" + (found.count == 1 ? "" : "s")
    if let resolved = found.resolvedCount, let target = validation.target {
      text += ", \(resolved) resolved against \(PlainText.line(target))"
      if !found.unresolved.isEmpty { text += ", \(found.unresolved.count) not" }
      text += "\n"
    } else {
      text += ", not checked\n"
      if let problem = validation.targetProblem {
        text += "  " + PlainText.line(problem.message)
        for case .file(let file) in problem.context { text += ": " + PlainText.line(file) }
        text += "; name a kernel's types with --btf FILE\n"
      }
    }
    var table = TextTable(rightAligned: [1])
    for one in found.unresolved {
      table.add(one.function, "\(one.instruction):", one.kind.words, one.reason)
    }
    return text + table.text(indent: "  ")
  }

  private var minimumKernel: String {
    guard let minimum = report.minimumKernel else { return "" }
    var text = style.bold("needs at least Linux \(minimum.version)") + "\n"
    for reason in minimum.because { text += "  because " + PlainText.line(reason) + "\n" }
    return text
  }

  private var findings: String {
    guard !report.findings.isEmpty else { return "" }
    var text = title("findings", report.findings.count)
    for finding in report.findings {
      let severity = finding.severity.rawValue
      let mark = finding.severity == .error ? style.red(severity) : style.yellow(severity)
      var error = finding.error
      if error.context.first == .file(report.file) { error.context.removeFirst() }
      let lines = PlainText.lines(error.description).split(separator: "\n")
      text += "  " + mark + "  " + (lines.first ?? "") + "\n"
      for line in lines.dropFirst() { text += "  " + line + "\n" }
    }
    return text
  }

  private var verdict: String {
    let errors = report.findings.count { $0.severity == .error }
    let warnings = report.findings.count - errors
    let unresolved = report.relocations.unresolved.count
    var counts = ""
    for (count, noun) in [
      (errors, "error"), (warnings, "warning"), (unresolved, "unresolved CO-RE record"),
    ] where count > 0 {
      counts += (counts.isEmpty ? "" : ", ") + "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
    let word = report.isValid ? style.green("valid") : style.red("invalid")
    return style.bold(PlainText.line(report.file)) + ": " + word
      + (counts.isEmpty ? "" : " (\(counts))") + "\n"
  }

  private func disassembly() -> String {
    var text = ""
    for program in report.programs {
      let listing = ProgramListing(program.spec, btf: report.object?.btf)
      text += (text.isEmpty ? "" : "\n") + style.bold(PlainText.line(program.spec.sectionName))
      text += "\n"
      var shown: String?
      for row in listing.rows {
        if let function = row.function { text += PlainText.line(function) + ":\n" }
        if let source = row.source {
          let place = source.file.split(separator: "/").last.map(String.init) ?? source.file
          let line = "      ; \(source.text)  \(place):\(source.line)"
          // The compiler says it again for each column of the line.
          if line != shown { text += style.dim(PlainText.line(line)) + "\n" }
          shown = line
        }
        let index = String(row.index)
        text += String(repeating: " ", count: max(0, 6 - index.count)) + index + "  "
        text += PlainText.line(row.text) + "\n"
      }
    }
    return text
  }

  // MARK: - Pieces

  private func title(_ name: String, _ count: Int) -> String {
    style.bold(name) + " (\(Figures.count(UInt64(count))))\n"
  }

  private func section(_ name: String, _ count: Int, _ table: TextTable) -> String {
    var text = title(name, count) + header(of: table)
    for row in 1..<table.count {
      table.append(row, to: &text, indent: "  ")
      text += "\n"
    }
    return text
  }

  private func header(of table: TextTable) -> String {
    var line = ""
    table.append(0, to: &line, indent: "  ")
    return style.dim(line) + "\n"
  }

  /// The lines of one name below programs; those of one object often have the same ones.
  private struct Details {
    private let text: ObjectText
    private let name: String
    private var words: [String] = []
    private var lines = ""

    init(_ text: ObjectText, _ name: String) {
      self.text = text
      self.name = name
    }

    mutating func append(
      _ words: [String], to result: inout String, naming: ([String]) -> [String] = { $0 }
    ) {
      if words != self.words {
        self.words = words
        lines = words.isEmpty ? "" : text.detail(name, naming(words))
      }
      if !lines.isEmpty { result += lines }
    }
  }

  private func detail(_ name: String, _ words: [String]) -> String {
    let label = "    " + name + String(repeating: " ", count: 9 - name.count)
    let rest = String(repeating: " ", count: label.count)
    var text = ""
    for (index, line) in PlainText.wrapped(words, width: width - label.count).enumerated() {
      text += style.dim(index == 0 ? label : rest) + line + "\n"
    }
    return text
  }
}
