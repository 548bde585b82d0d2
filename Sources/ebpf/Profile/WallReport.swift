import EBPF
import EBPFSystem
import EBPFTracers
import ProfileFormats
import Profiles

/// What `ebpf profile --off-cpu` and `--wall` say: the file, the tables, the footer, or the JSON.
struct WallReport {
  private let result: WallProfile
  private let command: ProfileCommand
  private let containers: ContainerNames?
  private let economy: GovernorState?

  init(
    _ result: WallProfile, command: ProfileCommand, containers: ContainerNames?,
    economy: GovernorState?
  ) {
    self.result = result
    self.economy = economy
    self.command = command
    self.containers = containers
  }

  /// True when the result does not show everything that happened.
  var hasLoss: Bool {
    let statistics = result.statistics
    return statistics.dropped > 0 || statistics.truncated > 0 || statistics.malformed > 0
      || statistics.unfollowed > 0
  }

  /// What is missing, in one sentence.
  var lossSentence: String {
    let statistics = result.statistics
    var text =
      "\(Figures.count(statistics.dropped)) events were dropped and "
      + "\(Figures.count(statistics.truncated)) stacks are incomplete"
    if result.unplacedNanoseconds > 0 {
      text += "; \(Figures.nanoseconds(result.unplacedNanoseconds)) have no stack"
    }
    if result.lostThreads.count > 0 {
      text += "; \(Figures.count(result.lostThreads.count)) threads are missing"
    }
    if statistics.malformed > 0 {
      text += "; \(Figures.count(statistics.malformed)) records of the kernel were malformed"
    }
    return text + TracerFooter.unfollowed(statistics)
  }

  /// Writes the file if one was asked for, then the result, then the footer.
  func write() throws(EBPFError) {
    let file = try ProfileFile(path: command.output, format: command.format)
      .write(result.profile, options)
    if command.tracing.json {
      try Output.write(
        JSONDocument.text(
          WallDocument(
            result, file: file, top: command.top, recordsWakers: command.wakers,
            containers: containers, economy: economy)))
    } else if command.output == nil, let format = command.format {
      try Output.write(try ProfileFile.encode(result.profile, format, options))
    } else {
      try printTables()
      footer(file)
    }
  }

  private var options: ProfileOptions {
    var options = ProfileOptions()
    // Time, and not how often.
    options.valueType = 1
    options.palette = command.wall ? .hot : .cold
    options.recording.host = result.host
    options.recording.kernel = result.kernelRelease
    options.recording.commandLine = command.tracing.subject
    options.recording.frequency = result.frequency.map(Double.init)
    options.recording.samples = result.statistics.recorded
    options.recording.dropped = result.statistics.dropped
    options.recording.truncated = result.statistics.truncated
    options.recording.unresolved = UInt64(result.unresolvedFrames)
    options.recording.tool = "swift-ebpf \(Version.text)"
    return options
  }

  // MARK: - Text

  private func printTables() throws(EBPFError) {
    guard command.top > 0 else { return }
    if result.threads.isEmpty {
      Output.note("no time: nothing that was asked for was there")
      return
    }
    let width = StandardStream.output.columns ?? 100
    try Output.write(WallTables.threads(result, limit: command.top, command, containers).text())
    let waits = WallTables.stacks(result.profile, limit: command.top, width: width)
    if waits.count > 1 { try Output.write("\n" + waits.text()) }
  }

  /// What ended the waits that did end.
  private var wakers: String {
    let counts = result.wakes.reduce(into: [WallWaker.Context: UInt64]()) { counts, wake in
      counts[wake.waker.context, default: 0] += UInt64(wake.count)
    }
    func count(_ context: WallWaker.Context) -> String { Figures.count(counts[context] ?? 0) }
    var text =
      "\(count(.thread)) times by threads, \(count(.interrupt)) by interrupts, "
      + "\(count(.unknown)) by nobody seen"
    if counts[.undecided] != nil {
      text += "; \(count(.undecided)) by threads or interrupts that came upon them"
    }
    return text
  }

  /// What was recorded, what was lost and what it cost.
  private func footer(_ file: String?) {
    let statistics = result.statistics
    let footer = TracerFooter()
    footer.line(
      "recorded",
      "\(Figures.count(result.switches)) switches in "
        + "\(Figures.seconds(Double(statistics.recordedNanoseconds) / 1e9)); "
        + "\(Figures.count(statistics.dropped)) dropped, "
        + "\(Figures.count(statistics.truncated)) stacks truncated")
    if statistics.dropped > 0 || statistics.malformed > 0 || statistics.unfollowed > 0 {
      footer.line("lost", lossSentence)
    }
    if command.wakers { footer.line("woken", wakers) }
    footer.line("symbols", result.symbolSummary)
    footer.walks(result.walks)
    footer.hooks(result.hooks)
    footer.overhead(result.overhead)
    footer.economy(economy, [statistics])
    if let file { footer.wrote(file) }
  }
}
