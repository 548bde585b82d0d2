import EBPF
import EBPFTracers

/// The JSON summary of a recording.
struct SyscallsDocument: Encodable {
  let totals: Totals
  let loss: LossDocument
  let losses: Losses
  let contexts: ContextsDocument?
  let overhead: OverheadDocument?
  let hooks: [HookDocument]
  let durationNs: UInt64
  let bySyscall: [CallDocument]
  let byProcess: [OwnerDocument]?
  let byCgroup: [OwnerDocument]?
  let byErrno: [ErrnoDocument]
  let waitingAtStart: [WaitingDocument]
  let waitingAtEnd: [WaitingDocument]
  let economy: EconomyDocument?

  struct Totals: Encodable {
    let syscallsTraced: UInt64
    let uniqueSyscalls: Int
    let errors: UInt64
    let returned: UInt64
    let unreturned: UInt64
    let enteredBefore: UInt64
    let totalNs: UInt64

    init(_ summary: SyscallSummary) {
      syscallsTraced = summary.total
      uniqueSyscalls = summary.unique
      errors = summary.errors
      returned = summary.returns
      unreturned = summary.calls.reduce(0) { $0 &+ $1.unreturned }
      enteredBefore = summary.calls.reduce(0) { $0 &+ $1.enteredBefore }
      totalNs = summary.calls.reduce(0) { $0 &+ $1.totalNanoseconds }
    }
  }

  /// Where losses happened.
  struct Losses: Encodable {
    let keys: UInt64
    let events: UInt64
    let threads: UInt64
    let missedRuns: UInt64
    let unfollowed: UInt64
    let malformed: UInt64
    /// Counted and not sent, to save.
    let eventsSpared: UInt64
  }

  init(
    _ summary: SyscallSummary, command: SyscallsCommand, containers: ContainerNames?,
    economy: GovernorState?
  ) {
    let statistics = summary.statistics
    totals = Totals(summary)
    loss = LossDocument(statistics)
    self.economy = economy.map(EconomyDocument.init)
    let places = summary.losses
    losses = Losses(
      keys: places.keys, events: places.events, threads: places.threads,
      missedRuns: places.missedRuns, unfollowed: places.unfollowed, malformed: places.malformed,
      eventsSpared: places.eventsSpared)
    contexts = summary.contexts.flatMap(ContextsDocument.init)
    overhead = summary.overhead.map(OverheadDocument.init)
    hooks = summary.hooks.map(HookDocument.init)
    durationNs = statistics.recordedNanoseconds
    bySyscall = CallDocument.list(summary.calls, byTime: command.latency)
    let owners = OwnerDocument.list(summary, containers)
    byProcess = command.grouping == .cgroup ? nil : owners
    byCgroup = command.grouping == .cgroup ? owners : nil
    byErrno = ErrnoDocument.list(summary.matrix)
    waitingAtStart = summary.waitingAtStart.map(WaitingDocument.init)
    waitingAtEnd = summary.waitingAtEnd.map(WaitingDocument.init)
  }
}

/// What is new since the interval before.
struct SyscallsIntervalDocument: Encodable {
  let event = "interval"
  let timeNs: UInt64
  let totals: SyscallsDocument.Totals
  let bySyscall: [CallDocument]

  init(_ change: SyscallSummary, at time: UInt64, command: SyscallsCommand) {
    timeNs = time
    totals = SyscallsDocument.Totals(change)
    bySyscall = CallDocument.list(change.calls, byTime: command.latency)
  }
}

/// One call's totals.
struct CallDocument: Encodable {
  let name: String
  let number: UInt32
  let compat: Bool
  let count: UInt64
  let errors: UInt64
  let returned: UInt64
  let unreturned: UInt64
  let enteredBefore: UInt64
  let totalNs: UInt64
  let maxNs: UInt64
  @Nullable var p50Ns: UInt64?
  @Nullable var p99Ns: UInt64?
  let histogram: [Bucket]

  /// Durations from a bound up to, and without, another.
  struct Bucket: Encodable {
    let fromNs: UInt64
    @Nullable var toNs: UInt64?
    let count: UInt64
  }

  static func list(_ calls: [SyscallTotals], byTime: Bool) -> [CallDocument] {
    SyscallsTable.sorted(calls, byTime: byTime).map(CallDocument.init)
  }

  init(_ totals: SyscallTotals) {
    name = totals.call.name
    number = totals.call.number
    compat = totals.call.isCompat
    count = totals.count
    errors = totals.errors
    returned = totals.returns
    unreturned = totals.unreturned
    enteredBefore = totals.enteredBefore
    totalNs = totals.totalNanoseconds
    maxNs = totals.maximumNanoseconds
    p50Ns = totals.quantile(0.5)
    p99Ns = totals.quantile(0.99)
    histogram = totals.histogram.counts.enumerated().compactMap { index, count in
      guard count > 0 else { return nil }
      let bounds = SyscallHistogram.bounds(index)
      let last = index == SyscallHistogram.bucketCount - 1
      return Bucket(
        fromNs: bounds.lowerBound, toNs: last ? nil : bounds.upperBound, count: count)
    }
  }
}

/// What one process or cgroup did.
struct OwnerDocument: Encodable {
  let pid: Int32?
  let comm: String?
  let cgroupId: UInt64?
  let cgroup: String?
  @Nullable var container: ContainerDocument?
  let count: UInt64
  let errors: UInt64
  let totalNs: UInt64
  let calls: [Cell]

  /// A call with one result.
  struct Cell: Encodable {
    let name: String
    let compat: Bool
    @Nullable var error: String?
    let returned: Bool
    let count: UInt64
    let totalNs: UInt64
  }

  static func list(_ summary: SyscallSummary, _ containers: ContainerNames?) -> [OwnerDocument] {
    let matrix = summary.matrix
    let cells = Dictionary(grouping: matrix, by: \.owner)
    return OwnerRow.rows(matrix)
      .sorted { $0.count == $1.count ? $0.name < $1.name : $0.count > $1.count }
      .map { row in
        let place = PlaceDocument(
          containers, cgroup: row.cgroup(summary), process: row.process)
        return OwnerDocument(row, cells[row.owner] ?? [], row.cgroup(summary), place)
      }
  }

  private init(
    _ row: OwnerRow, _ cells: [SyscallCount], _ cgroupId: UInt64?, _ place: PlaceDocument
  ) {
    var process: (id: Int32, command: String)?
    switch row.owner {
    case .all: break
    case .process(let id, _, let command): process = (id, command)
    case .cgroup: break
    }
    pid = process?.id
    comm = process?.command
    self.cgroupId = cgroupId
    cgroup = place.cgroup
    container = place.container
    count = row.count
    errors = row.errors
    totalNs = row.nanoseconds
    calls = cells.sorted { $0.count == $1.count ? $0.call < $1.call : $0.count > $1.count }.map {
      cell in
      var error: String?
      if case .error(let number) = cell.outcome { error = SyscallErrno.name(number) }
      return Cell(
        name: cell.call.name, compat: cell.call.isCompat, error: error,
        returned: cell.outcome != .neverReturned, count: cell.count,
        totalNs: cell.totalNanoseconds)
    }
  }
}

/// How often a call failed in one way.
struct ErrnoDocument: Encodable {
  let error: String
  let number: Int32
  let name: String
  let compat: Bool
  let count: UInt64

  static func list(_ matrix: [SyscallCount]) -> [ErrnoDocument] {
    var counts: [Key: UInt64] = [:]
    for cell in matrix {
      guard case .error(let number) = cell.outcome else { continue }
      counts[Key(number: number, call: cell.call), default: 0] &+= cell.count
    }
    return counts.map { key, count in
      ErrnoDocument(
        error: SyscallErrno.name(key.number), number: key.number, name: key.call.name,
        compat: key.call.isCompat, count: count)
    }.sorted { ($1.count, $0.error, $0.name) < ($0.count, $1.error, $1.name) }
  }

  private struct Key: Hashable {
    let number: Int32
    let call: Syscall
  }
}

/// A thread inside a call.
struct WaitingDocument: Encodable {
  let pid: Int32
  let tid: Int32
  let comm: String
  let syscall: String
  @Nullable var forNs: UInt64?

  init(_ call: WaitingCall) {
    pid = call.process
    tid = call.thread
    comm = call.command
    syscall = call.call.name
    forNs = call.nanoseconds
  }
}
