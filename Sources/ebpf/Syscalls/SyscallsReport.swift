import EBPF
import EBPFSystem
import EBPFTracers

/// What a recording says at its end: the table, histograms and the footer, or the JSON.
struct SyscallsReport {
  private let summary: SyscallSummary
  private let command: SyscallsCommand
  private let containers: ContainerNames?
  private let economy: GovernorState?

  init(
    _ summary: SyscallSummary, command: SyscallsCommand, containers: ContainerNames?,
    economy: GovernorState?
  ) {
    self.summary = summary
    self.economy = economy
    self.containers = containers
    self.command = command
  }

  /// True when something is missing from the result.
  var hasLoss: Bool {
    summary.statistics.dropped > 0 || summary.statistics.truncated > 0
      || summary.losses.unfollowed > 0 || summary.losses.malformed > 0
  }

  /// What is missing, in one sentence.
  var lossSentence: String {
    "\(Figures.count(summary.statistics.dropped)) calls were dropped and "
      + "\(Figures.count(summary.statistics.truncated)) texts or stacks were cut"
  }

  /// Writes the result, then the footer.
  func write() throws(EBPFError) {
    if command.tracing.json {
      let document = AnyDocument(document(file: nil))
      // After events or intervals it is one more line of the stream.
      let isStream = command.trace || command.interval != nil
      try Output.write(isStream ? JSONDocument.line(document) : JSONDocument.text(document))
      return
    }
    if command.histogram {
      try Output.write(histograms())
    } else if command.summary {
      try Output.write(straceSummary())
    } else if !command.trace {
      try printTables()
    }
    footer()
  }

  private func histograms() -> String {
    let calls = SyscallsTable.sorted(summary.calls, byTime: command.latency)
    let shown = command.top == 0 ? calls[...] : calls.prefix(command.top)
    return shown.map { HistogramText.text($0.call.label, $0.histogram) }.joined()
  }

  /// The columns of `strace -c`, ordered by time.
  private func straceSummary() -> String {
    let calls = SyscallsTable.sorted(summary.calls, byTime: true)
    let time = calls.reduce(0.0) { $0 + Double($1.totalNanoseconds) }
    var table = TextTable(rightAligned: [0, 1, 2, 3, 4])
    table.add("% time", "seconds", "usecs/call", "calls", "errors", "syscall")
    func row(_ nanoseconds: Double, _ count: UInt64, _ errors: UInt64, _ name: String) {
      table.add(
        Figures.fixed(time == 0 ? 0 : nanoseconds / time * 100, decimals: 2),
        Figures.fixed(nanoseconds / 1e9, decimals: 6),
        Figures.fixed(count == 0 ? 0 : nanoseconds / Double(count) / 1e3, decimals: 0),
        String(count), errors == 0 ? "" : String(errors), name)
    }
    for call in calls {
      row(Double(call.totalNanoseconds), call.count, call.errors, call.call.label)
    }
    row(time, summary.total, summary.errors, "total")
    return table.text()
  }

  // MARK: - Footer

  private func footer() {
    let statistics = summary.statistics
    let footer = TracerFooter()
    footer.line(
      "recorded",
      "\(Figures.count(summary.total)) calls of \(summary.unique) kinds in "
        + "\(Figures.seconds(Double(statistics.recordedNanoseconds) / 1e9)); "
        + "\(Figures.count(summary.errors)) failed, \(Figures.count(statistics.dropped)) dropped"
        + (command.trace ? ", \(Figures.count(statistics.truncated)) truncated" : ""))
    for loss in losses { footer.line("", loss) }
    let before = summary.waitingAtStart
    // A command that was started for this waits until the tracer is there.
    if !before.isEmpty, command.tracing.command.isEmpty {
      footer.line("before", "\(threads(before.count)) inside a call already: \(kinds(before))")
    }
    let after = summary.waitingAtEnd
    if !after.isEmpty {
      footer.line("unreturned", "\(threads(after.count)) still inside: \(kinds(after))")
    }
    if let contexts = summary.contexts { footer.contexts(contexts, of: "events") }
    footer.hooks(summary.hooks)
    if let overhead = summary.overhead { footer.overhead(overhead) }
    footer.economy(economy, [statistics])
  }

  private func threads(_ count: Int) -> String {
    count == 1 ? "1 thread was" : "\(count) threads were"
  }

  /// The most frequent kinds: `futex 12, epoll_wait 3`.
  private func kinds(_ calls: [WaitingCall]) -> String {
    var counts: [Syscall: Int] = [:]
    for call in calls { counts[call.call, default: 0] += 1 }
    let rows = counts.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }
    let shown = rows.prefix(5).map { "\($0.key.label) \($0.value)" }.joined(separator: ", ")
    return rows.count > 5 ? shown + ", ..." : shown
  }

  private var losses: [String] {
    let losses = summary.losses
    var lines: [String] = []
    func add(_ count: UInt64, _ text: String) {
      if count > 0 { lines.append("\(Figures.count(count)) \(text)") }
    }
    add(losses.keys, "found no room in the table by process, call and errno; raise --keys")
    add(losses.events, "were not printed: the buffer was full; raise --buffer or filter more")
    add(losses.threads, "could not be timed: no room for their thread")
    add(losses.missedRuns, "were missed: the kernel was running the program already")
    add(losses.eventsSpared, "were not printed to save: shorter than --max-overhead allowed")
    add(losses.unfollowed, "started processes could not be followed")
    return lines
  }
}

extension SyscallsReport: TracerReport {
  var name: String { "syscalls" }
  var statistics: TracerStatistics { summary.statistics }
  var cost: TracerOverhead? { summary.overhead }
  var hooks: [TracerHook] { summary.hooks }

  func writeFile() -> String? { nil }

  func document(file: String?) -> any Encodable {
    SyscallsDocument(summary, command: command, containers: containers, economy: economy)
  }

  func printTables() throws(EBPFError) {
    if summary.total == 0 {
      Output.note("no calls: nothing that was asked for made a system call")
    } else {
      try Output.write(SyscallsTable(summary, command: command, containers: containers).text())
    }
  }
}
