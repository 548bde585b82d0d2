import EBPF
import EBPFSystem
import EBPFTracers
import ProfileFormats
import Profiles

/// What a recording says: the file, the table of the hottest functions, the footer, or the JSON.
struct ProfileReport {
  private let result: CPUProfile
  private let command: ProfileCommand
  private let containers: ContainerNames?
  private let economy: GovernorState?

  init(
    _ result: CPUProfile, command: ProfileCommand, containers: ContainerNames?,
    economy: GovernorState?
  ) {
    self.result = result
    self.economy = economy
    self.containers = containers
    self.command = command
  }

  /// True when the profile does not show everything that happened.
  var hasLoss: Bool {
    let statistics = result.statistics
    return statistics.dropped > 0 || statistics.truncated > 0 || statistics.malformed > 0
      || statistics.unfollowed > 0
  }

  /// What is missing, in one sentence.
  var lossSentence: String {
    let statistics = result.statistics
    let malformed =
      statistics.malformed > 0
      ? "; \(Figures.count(statistics.malformed)) records of the kernel were malformed" : ""
    return "\(Figures.count(statistics.dropped)) samples were dropped and "
      + "\(Figures.count(statistics.truncated)) stacks are incomplete" + malformed
      + TracerFooter.unfollowed(statistics)
  }

  /// Writes the file if one was asked for, then the result, then the footer. A person sees the
  /// result although the file cannot be written.
  func write() throws(EBPFError) {
    var file: String?
    var failure: EBPFError?
    do throws(EBPFError) { file = try writeFile() } catch {
      if command.tracing.json { throw error }
      failure = error
    }
    if command.tracing.json {
      try Output.write(JSONDocument.text(AnyDocument(try document(file: file))))
    } else if command.output == nil, let format = command.format {
      try Output.write(try encode(format))
    } else {
      try printTables()
      footer(file)
    }
    if let failure { throw failure }
  }

  // MARK: - Files

  func writeFile() throws(EBPFError) -> String? {
    guard let path = command.output else { return nil }
    guard let format = command.format ?? ProfileFormat(path: path) else {
      throw EBPFError(.invalidArgument, "no format for '\(path)'")
    }
    try ResultFile(path: path).write(try encode(format))
    return path
  }

  private func encode(_ format: ProfileFormat) throws(EBPFError) -> [UInt8] {
    var options = ProfileOptions()
    options.recording.host = result.host
    options.recording.kernel = result.kernelRelease
    options.recording.commandLine = command.tracing.subject
    options.recording.frequency = Double(result.frequency)
    options.recording.processors = result.processors
    options.recording.samples = result.statistics.recorded
    options.recording.dropped = result.statistics.dropped
    options.recording.truncated = result.statistics.truncated
    options.recording.unresolved = UInt64(result.unresolvedFrames)
    options.recording.tool = "swift-ebpf \(Version.text)"
    do throws(ProfileFormatError) {
      return try format.encode(result.profile, options: options)
    } catch {
      throw EBPFError(.unsupported, "\(error)")
    }
  }

  // MARK: - Text

  func printTables() throws(EBPFError) {
    guard command.top > 0 else { return }
    let table: HottestFunctions
    do throws(ProfileFormatError) {
      table = try HottestFunctions(result.profile, limit: command.top)
    } catch { throw EBPFError(.unsupported, "\(error)") }
    if table.rows.isEmpty {
      Output.note(
        "no samples: nothing that was asked for ran on a CPU"
          + (result.statistics.unwanted > 0
            ? " (\(Figures.count(result.statistics.unwanted)) samples were idle or filtered out)"
            : ""))
      return
    }
    try Output.write(table.text(width: StandardStream.output.columns ?? 100))
    if command.tracing.containers {
      let processes = ProfiledProcess.list(result.profile)
      try Output.write(
        "\n" + ProfiledProcess.table(processes, limit: command.top, containers).text())
    }
  }

  /// What was recorded, what was lost and what it cost.
  private func footer(_ file: String?) {
    let statistics = result.statistics
    let footer = TracerFooter()
    footer.line(
      "recorded",
      "\(Figures.count(statistics.recorded)) samples in "
        + "\(Figures.seconds(Double(statistics.recordedNanoseconds) / 1e9)) at \(result.frequency) Hz on "
        + "\(result.processors) CPUs; \(Figures.count(statistics.dropped)) dropped, "
        + "\(Figures.count(statistics.truncated)) stacks truncated"
        + (statistics.malformed > 0
          ? ", \(Figures.count(statistics.malformed)) records malformed" : "")
        + TracerFooter.unfollowed(statistics))
    if statistics.capped > 0 {
      footer.line(
        "limit", "reached after \(Figures.count(statistics.recorded)) samples; raise --max-samples")
    }
    footer.line("symbols", result.symbolSummary)
    footer.walks(result.walks)
    footer.contexts(result.contexts)
    footer.overhead(result.overhead)
    footer.economy(economy, [statistics])
    if let file { footer.wrote(file) }
  }
}

extension ProfileReport: TracerReport {
  var name: String { "profile" }
  var statistics: TracerStatistics { result.statistics }
  var cost: TracerOverhead? { result.overhead }
  var hooks: [TracerHook] { result.hooks }

  func document(file: String?) throws(EBPFError) -> any Encodable {
    try ProfileDocument(
      result, file: file, top: command.top, containers: containers, economy: economy)
  }
}
