/// Which programs run, from what the kernel tells of their beginnings and of processes' ends.
///
/// A value without kernel: records go in, events come out. It keeps a bounded number of programs.
struct ProcessLedger: Sendable {
  /// When recording began, by the monotonic clock.
  private let since: UInt64
  /// The most programs that are kept.
  private let limit: Int
  private let keepsArguments: Bool
  /// Whether there is a process with that number.
  private let isThere: @Sendable (Int32) -> Bool

  /// By process.
  private var running: [Int32: ProcessRun] = [:]
  /// Programs that found no room; their ends have ``ProcessRun/Origin/unknown``.
  private(set) var untracked: UInt64 = 0
  /// Programs whose end was not seen.
  private(set) var unended: UInt64 = 0
  /// How many must have found no room before it is looked for again.
  private var nextSearch: UInt64 = 0

  init(
    since: UInt64, limit: Int, keepsArguments: Bool,
    isThere: @escaping @Sendable (Int32) -> Bool
  ) {
    self.since = since
    self.limit = max(1, limit)
    self.keepsArguments = keepsArguments
    self.isThere = isThere
  }

  /// Those that run, in the order in which they began.
  var programs: [ProcessRun] { running.values.sorted { $0.start < $1.start } }

  /// Takes in a record; passes what it means to `body`.
  mutating func take(_ record: ProcessRecord, _ body: (ProcessEvent) -> Void) {
    let header = record.header
    let process = Int32(truncatingIfNeeded: header.process)
    var before = running.removeValue(forKey: process)
    if let known = before, known.processStart != header.start {
      // Its number is another's now.
      unended += 1
      before = nil
    }
    if header.what == ProcessRecordHeader.What.began {
      if let before { body(.ended(ended(before, header.time, .replaced))) }
      let run = program(record, process)
      keep(run)
      body(.began(run))
    } else {
      let run = before ?? other(header, process)
      body(.ended(ended(run, header.time, ProcessRun.Ending(status: header.status))))
    }
  }

  /// Forgets programs whose process is gone: its end was not told.
  mutating func forgetGone() {
    let isThere = isThere
    let known = running.count
    running = running.filter { isThere($0.key) }
    unended += UInt64(known - running.count)
  }

  // MARK: -

  private mutating func keep(_ run: ProcessRun) {
    if running.count >= limit, untracked >= nextSearch {
      forgetGone()
      if running.count >= limit { nextSearch = untracked + UInt64(limit / 8 + 1) }
    }
    if running.count < limit { running[run.process] = run } else { untracked += 1 }
  }

  private func ended(
    _ run: ProcessRun, _ time: UInt64, _ ending: ProcessRun.Ending
  ) -> ProcessRun {
    var run = run
    run.end = time
    run.ending = ending
    return run
  }

  private func program(_ record: ProcessRecord, _ process: Int32) -> ProcessRun {
    typealias Flags = ProcessRecordHeader.Flags
    let header = record.header
    var run = ProcessRun(header, process, .executed, start: header.time)
    run.path = record.path
    run.pathIsCut = header.flags & Flags.pathCut != 0
    run.arguments = keepsArguments ? record.arguments : Array(record.arguments.prefix(1))
    run.argumentCount = header.argumentCount == 0 ? nil : Int(header.argumentCount)
    run.argumentsAreCut = keepsArguments && header.flags & Flags.argumentsCut != 0
    return run
  }

  /// A run of which only the end is told.
  private func other(_ header: ProcessRecordHeader, _ process: Int32) -> ProcessRun {
    let neverExecuted = header.flags & ProcessRecordHeader.Flags.neverExecuted != 0
    let origin: ProcessRun.Origin =
      header.start < since ? .existing : neverExecuted ? .forked : .unknown
    return ProcessRun(header, process, origin, start: header.start)
  }
}

extension ProcessRun {
  fileprivate init(
    _ header: ProcessRecordHeader, _ process: Int32, _ origin: Origin, start: UInt64
  ) {
    self.init(
      origin: origin, process: process, parent: Int32(truncatingIfNeeded: header.parent),
      user: header.user, cgroup: header.cgroup, command: header.command.text,
      processStart: header.start, start: start, weight: max(1, header.weight))
  }
}
