import EBPF
import EBPFTracers

/// What a recording of processes says at its end.
struct ProcessesReport {
  private let result: ProcessRecording
  private let totals: ProcessTotals
  private let json: Bool
  private let economy: GovernorState?

  init(_ result: ProcessRecording, totals: ProcessTotals, json: Bool, economy: GovernorState?) {
    self.result = result
    self.totals = totals
    self.json = json
    self.economy = economy
  }

  /// True when something is missing from the result.
  var hasLoss: Bool {
    let losses = result.losses
    return result.statistics.dropped > 0 || result.statistics.truncated > 0
      || losses.unfollowed > 0 || losses.unreadArguments > 0 || losses.untracked > 0
  }

  /// What is missing, in one sentence.
  var lossSentence: String {
    "\(Figures.count(result.statistics.dropped)) events were dropped and "
      + "\(Figures.count(result.statistics.truncated)) paths or arguments were cut"
  }

  /// Writes the summary: one more line of the JSON, or the footer.
  func write() throws(EBPFError) {
    guard !json else {
      return try Output.write(
        JSONDocument.line(ProcessesDocument(result, totals: totals, economy: economy)))
    }
    let statistics = result.statistics
    let footer = TracerFooter()
    footer.line(
      "recorded",
      "\(Figures.count(totals.executed)) programs began and \(Figures.count(totals.ended)) ended in "
        + "\(Figures.seconds(Double(statistics.recordedNanoseconds) / 1e9)); "
        + "\(Figures.count(totals.failed)) failed, \(Figures.count(statistics.dropped)) dropped, "
        + "\(Figures.count(statistics.truncated)) truncated")
    let losses = result.losses
    for (count, what) in [
      (losses.unreadArguments, "have arguments that could not be read"),
      (losses.unfollowed, "were started and found no room to be followed"),
      (losses.untracked, "found no room: their ends have no beginning"),
    ] where count > 0 { footer.line("", "\(Figures.count(count)) \(what)") }
    footer.hooks(result.hooks)
    if let overhead = result.overhead { footer.overhead(overhead) }
    footer.economy(economy, [statistics])
  }
}

/// How many programs there were.
struct ProcessTotals: Encodable {
  var executed: UInt64 = 0
  /// Programs that ended, without those that gave way to another.
  var ended: UInt64 = 0
  var failed: UInt64 = 0
  var replaced: UInt64 = 0
  var forked: UInt64 = 0
  var existing: UInt64 = 0
  var running: UInt64 = 0

  /// Counts an event.
  mutating func add(_ event: ProcessEvent) {
    guard case .ended(let run) = event else {
      executed += 1
      return
    }
    if run.ending == .replaced { replaced += 1 } else { ended += 1 }
    if run.ending?.isFailure == true { failed += 1 }
    if run.origin == .forked { forked += 1 }
    if run.origin == .existing { existing += 1 }
  }
}

/// The JSON summary of a recording.
struct ProcessesDocument: Encodable {
  let event = "summary"
  let totals: ProcessTotals
  let loss: LossDocument
  let overhead: OverheadDocument?
  let hooks: [HookDocument]
  let durationNs: UInt64
  let economy: EconomyDocument?

  init(_ result: ProcessRecording, totals: ProcessTotals, economy: GovernorState?) {
    self.totals = totals
    loss = LossDocument(result.statistics)
    overhead = result.overhead.map(OverheadDocument.init)
    hooks = result.hooks.map(HookDocument.init)
    durationNs = result.statistics.recordedNanoseconds
    self.economy = economy.map(EconomyDocument.init)
  }

  /// `totals` while recording.
  struct Progress: Encodable {
    let events: UInt64
    let running: Int

    init(_ recording: ProcessRecording) {
      events = recording.statistics.recorded
      running = recording.running.count
    }
  }
}

/// A program that began or ended.
struct ProcessEventDocument: Encodable {
  /// `exec`, `exit` or `running`.
  let event: String
  let timeNs: UInt64
  let pid: Int32
  let ppid: Int32
  let uid: UInt32
  let comm: String
  /// `executed`, `forked`, `existing` or `unknown`.
  let origin: String
  @Nullable var path: String?
  let args: [String]
  @Nullable var argsCount: Int?
  let truncated: Bool
  let startNs: UInt64
  @Nullable var durationNs: UInt64?
  @Nullable var exitCode: Int32?
  @Nullable var signal: String?
  /// It executed another program.
  let replaced: Bool
  /// For how many it stands: more than 1 only below --max-overhead.
  let weight: UInt32
  @Nullable var cgroup: String?
  @Nullable var container: ContainerDocument?

  init(
    _ event: String, _ run: ProcessRun, at time: UInt64, wallOffset: Int64,
    containers: ContainerNames?
  ) {
    func wall(_ time: UInt64) -> UInt64 {
      UInt64(bitPattern: Int64(bitPattern: time) &+ wallOffset)
    }
    self.event = event
    timeNs = wall(time)
    (pid, ppid, uid, comm) = (run.process, run.parent, run.user, run.command)
    origin = run.origin.rawValue
    path = run.path.isEmpty ? nil : run.path
    args = run.arguments
    argsCount = run.argumentCount
    truncated = run.pathIsCut || run.argumentsAreCut
    startNs = wall(run.start)
    durationNs = run.nanoseconds
    if case .exited(let status) = run.ending { exitCode = status }
    signal = run.ending?.signalName
    replaced = run.ending == .replaced
    weight = run.weight
    let place = PlaceDocument(containers, cgroup: run.cgroup, process: nil)
    cgroup = place.cgroup
    container = place.container
  }
}
