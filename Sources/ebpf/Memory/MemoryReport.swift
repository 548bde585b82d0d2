import EBPF
import EBPFTracers
import ProfileFormats
import Profiles

/// What a memory recording says: the file, the tables, the footer, or the JSON.
struct MemoryReport {
  private let result: MemoryRecording
  private let command: MemoryCommand
  private let containers: ContainerNames?
  private let economy: GovernorState?

  init(
    _ result: MemoryRecording, command: MemoryCommand, containers: ContainerNames?,
    economy: GovernorState?
  ) {
    self.result = result
    self.economy = economy
    self.containers = containers
    self.command = command
  }

  /// True when the recording does not show everything that happened.
  var hasLoss: Bool {
    result.statistics.dropped > 0 || result.statistics.truncated > 0
      || result.totals.untracked > 0 || result.statistics.unfollowed > 0
      || result.unwatchedPrograms > 0
  }

  /// What is missing, in one sentence.
  var lossSentence: String {
    "\(Figures.count(result.statistics.dropped)) events were dropped, "
      + "\(Figures.count(result.totals.untracked)) blocks found no room (--max-blocks) and "
      + "\(Figures.count(result.statistics.truncated)) stacks are incomplete"
      + TracerFooter.unfollowed(result.statistics) + unwatched
  }

  private var unwatched: String {
    result.unwatchedPrograms == 0
      ? ""
      : "; the first mappings of \(Figures.count(result.unwatchedPrograms)) programs (32-bit) are missing"
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
      try Output.write(JSONDocument.text(AnyDocument(document(file: file))))
    } else if command.output == nil, let format = command.format {
      try Output.write(try encode(format))
    } else {
      try printTables()
      footer(file)
    }
    if let failure { throw failure }
  }

  /// The blocks in use that were asked for.
  private var leaks: [MemoryBlock] {
    let age = command.older.map { $0.multipliedReportingOverflow(by: 1_000_000) }
    return result.blocks.filter { block in
      if let age, age.overflow || block.age <= age.partialValue { return false }
      return block.size >= command.minSize ?? 0 && block.size <= command.maxSize ?? .max
    }
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
    if let name = command.value {
      guard let index = result.profile.valueTypes.firstIndex(where: { $0.type == name }) else {
        let names = result.profile.valueTypes.map(\.type).joined(separator: ", ")
        throw EBPFError(
          .invalidArgument, "there is no value '\(name)' in this profile",
          hint: "choose from \(names)")
      }
      options.valueType = index
    }
    options.recording.host = result.host
    options.recording.kernel = result.kernelRelease
    options.recording.commandLine = command.tracing.subject
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

  // MARK: - Footer

  private func footer(_ file: String?) {
    let statistics = result.statistics
    let footer = TracerFooter()
    footer.line(
      "recorded",
      "\(Figures.count(statistics.recorded)) events in "
        + "\(Figures.seconds(Double(statistics.recordedNanoseconds) / 1e9)); "
        + "\(Figures.count(statistics.dropped)) dropped, "
        + "\(Figures.count(statistics.truncated)) stacks truncated"
        + TracerFooter.unfollowed(statistics) + unwatched)
    if command.recordsAllocations { allocations(footer) }
    let others = result.otherProcesses
    if others.processes > 0 {
      footer.line(
        "processes",
        "\(Figures.count(others.processes)) that ended are not listed, those that grew least: "
          + "\(Figures.count(others.faults)) page faults")
    }
    footer.walks(result.walks)
    footer.line("symbols", result.symbolSummary)
    footer.hooks(result.hooks)
    footer.overhead(result.overhead)
    footer.economy(economy, [statistics])
    if let file { footer.wrote(file) }
  }

  private func allocations(_ footer: TracerFooter) {
    let totals = result.totals
    var kinds = "every call"
    if result.usesStaticProbes {
      kinds = "what the program picks and tells of by the USDT probes of otel_memory"
    } else if let mean = result.sampleBytes {
      kinds = "estimates: one allocated byte in \(Figures.count(mean)) was picked"
    }
    footer.line("allocator", kinds)
    let notes: [(UInt64, String)] = [
      (totals.untracked, "blocks found no room among the blocks in use (--max-blocks)"),
      (totals.unknownFrees, "frees of blocks that are not known: older, or without room"),
      (totals.replaced, "blocks whose free was not seen"),
      (totals.released, "blocks freed while they were not recorded"),
      (totals.failures, "calls gave out nothing"),
      (totals.abandoned, "calls never returned"),
    ]
    for (count, text) in notes where count > 0 {
      footer.line("", "\(Figures.count(count)) \(text)")
    }
  }
}

extension MemoryReport: TracerReport {
  var name: String { "memory" }
  var statistics: TracerStatistics { result.statistics }
  var cost: TracerOverhead? { result.overhead }
  var hooks: [TracerHook] { result.hooks }

  func document(file: String?) -> any Encodable {
    MemoryDocument(
      result, recordsAllocations: command.recordsAllocations, leaks: leaks, file: file,
      top: command.top, containers: containers, economy: economy)
  }

  func printTables() throws(EBPFError) {
    try Output.write(
      MemoryTables(result, leaks: leaks, command: command, containers: containers).text)
  }
}
