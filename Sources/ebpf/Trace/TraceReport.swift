import EBPF
import EBPFSystem
import EBPFTracers

/// What one tracer's recording says, for those who put several together.
protocol TracerReport {
  /// The tracer's command: `syscalls`.
  var name: String { get }
  var statistics: TracerStatistics { get }
  var cost: TracerOverhead? { get }
  var hooks: [TracerHook] { get }
  /// True when something is missing from the result.
  var hasLoss: Bool { get }
  /// What is missing, in one sentence.
  var lossSentence: String { get }
  /// Writes the file that was asked for, and returns its path.
  func writeFile() throws(EBPFError) -> String?
  /// The summary in JSON.
  func document(file: String?) throws(EBPFError) -> any Encodable
  /// Prints the tables.
  func printTables() throws(EBPFError)
}

/// What `ebpf trace` says at its end.
struct TraceReport {
  let reports: [any TracerReport]
  let economy: GovernorState?
  let json: Bool
  let folder: String?

  /// Makes the folder for files, unless it is there.
  static func makeFolder(_ path: String) throws(EBPFError) {
    do throws(Errno) { try FileSystem.makeDirectory(path, mode: 0o755) } catch {
      if error == .exists, isFolder(path) { return }
      throw EBPFError(
        .system, "cannot make the folder '\(path)': \(error.text)",
        systemCall: .init(call: "mkdir", errno: error.rawValue, name: error.name),
        hint: "name one whose parent is there and may be written to")
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    do throws(Errno) { return try FileStatus(path: path).isDirectory } catch { return false }
  }

  /// What is missing; nil when nothing is.
  var lossSentence: String? {
    let sentences = reports.filter(\.hasLoss).map { "\($0.name): \($0.lossSentence)" }
    return sentences.isEmpty ? nil : sentences.joined(separator: "; ")
  }

  /// Writes the files, then the results, then the footer.
  func write() throws(EBPFError) {
    var files: [String] = []
    var documents: [String: AnyDocument] = [:]
    for report in reports {
      let file = try report.writeFile()
      if let file { files.append(file) }
      if json || (folder != nil && file == nil) {
        documents[report.name] = AnyDocument(try report.document(file: file))
      }
    }
    if let folder {
      for report in reports where !files.contains(where: { $0.contains("/\(report.name).") }) {
        guard let document = documents[report.name] else { continue }
        let path = "\(folder)/\(report.name).json"
        try write(JSONDocument.text(document), path)
        files.append(path)
      }
    }
    if json {
      documents["economy"] = economy.map { AnyDocument(EconomyDocument($0)) }
      return try Output.write(JSONDocument.text(documents))
    }
    for (index, report) in reports.enumerated() {
      let heading = Style.forStream(.output).bold(report.name)
      try Output.write((index == 0 ? "" : "\n") + heading + "\n")
      try report.printTables()
    }
    footer(files)
  }

  private func write(_ text: String, _ path: String) throws(EBPFError) {
    do throws(Errno) { try OutputFile.write(Array(text.utf8), path: path) } catch {
      throw EBPFError(
        .system, "cannot write '\(path)': \(error.text)",
        systemCall: .init(call: "write", errno: error.rawValue, name: error.name))
    }
  }

  /// A line for each tracer, then what all of them cost.
  private func footer(_ files: [String]) {
    let footer = TracerFooter()
    var table = TextTable(rightAligned: [1, 2, 3, 4, 5, 6])
    table.add(
      "tracer", "recorded", "dropped", "passed over", "truncated", "in the kernel", "in maps")
    for report in reports {
      let statistics = report.statistics
      table.add(
        report.name, Figures.count(statistics.recorded), Figures.count(statistics.dropped),
        Figures.count(statistics.sampledOut), Figures.count(statistics.truncated),
        report.cost?.kernelNanoseconds.map(Figures.nanoseconds) ?? "-",
        report.cost?.mapBytes.map(Figures.bytes) ?? "-")
    }
    for line in table.lines() { Output.note(line) }
    let seconds = reports.map(\.statistics.recordedNanoseconds).max() ?? 0
    footer.line("recorded", Figures.seconds(Double(seconds) / 1e9))
    for report in reports where report.hasLoss {
      footer.line("loss", "\(report.name): \(report.lossSentence)")
    }
    for report in reports { footer.hooks(report.hooks) }
    if let cost = reports.compactMap(\.cost).max(by: { $0.cpuPercent < $1.cpuPercent }) {
      footer.line(
        "overhead",
        "\(Figures.percent(cost.cpuPercent)) of one CPU, "
          + "\(Figures.bytes(cost.residentBytes)) resident")
    }
    footer.economy(economy, reports.map(\.statistics))
    for file in files { footer.wrote(file) }
  }
}
