import EBPF
import EBPFTracers
import TerminalView

/// `ebpf syscalls --live`: calls each second, how they fail and how long they take.
final class LiveSyscalls: LiveSource {
  private let grouping: SyscallsGrouping
  private var before: SyscallSummary?
  private var summary = SyscallSummary()
  private var calls: [String: Syscall] = [:]
  private var owners: [String: SyscallOwner] = [:]
  private var rate = 0.0
  private var errorRate = 0.0

  private(set) var tables: [LiveTable]

  /// Processes or cgroups come first when `grouping` says so; without it they are not told apart.
  init(grouping: SyscallsGrouping) {
    self.grouping = grouping
    let calls = LiveTable(
      name: "calls",
      columns: [
        .figure("CALLS/s"), .figure("ERRORS/s", rank: 1), .figure("P50", rank: 2),
        .figure("P99", rank: 3), .figure("INSIDE", rank: 4), .figure("ALL CALLS", rank: 5),
        .figure("ALL ERRORS", rank: 6), .text("SYSCALL"),
      ], sortColumn: 0, empty: "no calls")
    let label: LiveColumn? =
      switch grouping {
      case .process: .text("PROCESS")
      case .cgroup: .text("CGROUP")
      case .syscall, .errno: nil
      }
    guard let label else {
      tables = [calls]
      return
    }
    let owners = LiveTable(
      name: grouping == .process ? "processes" : "cgroups",
      columns: [
        .figure("CALLS/s"), .figure("ERRORS/s", rank: 1), .figure("INSIDE", rank: 3),
        .figure("ALL CALLS", rank: 4), .text("MOST OFTEN", rank: 2), label,
      ], sortColumn: 0, empty: "no calls")
    tables = [owners, calls]
  }

  var status: [String] {
    [
      "\(Figures.count(UInt64(min(rate, 1e18)))) calls/s",
      "\(Figures.count(UInt64(min(errorRate, 1e18)))) errors/s",
    ]
  }

  func refresh(_ tracer: SyscallTracer, seconds: Double) throws(EBPFError) {
    summary = try tracer.snapshot()
    let change = before.map { summary.since($0) } ?? summary
    before = summary
    rate = Double(change.total) / seconds
    errorRate = Double(change.errors) / seconds
    tables[tables.count - 1].rows = callRows(change, seconds)
    if tables.count > 1 { tables[0].rows = ownerRows(change, seconds) }
  }

  // MARK: - Rows

  private func callRows(_ change: SyscallSummary, _ seconds: Double) -> [LiveRow] {
    let changes = Dictionary(
      change.calls.map { ($0.call, $0) }, uniquingKeysWith: { first, _ in first })
    return summary.calls.filter { $0.count > 0 }.map { all in
      let now = changes[all.call] ?? SyscallTotals(all.call)
      let id = all.call.label
      calls[id] = all.call
      return LiveRow(
        id: id,
        cells: [
          LiveFigures.rate(now.count, seconds), LiveFigures.rate(now.errors, seconds, .red),
          LiveFigures.time(now.returns == 0 ? nil : now.quantile(0.5)),
          LiveFigures.time(now.returns == 0 ? nil : now.quantile(0.99)),
          inside(now.totalNanoseconds, seconds), LiveFigures.count(all.count),
          LiveFigures.count(all.errors), .text(id),
        ])
    }
  }

  private func ownerRows(_ change: SyscallSummary, _ seconds: Double) -> [LiveRow] {
    let changes = Dictionary(
      OwnerRow.rows(change.matrix).map { ($0.owner, $0) }, uniquingKeysWith: { first, _ in first })
    return OwnerRow.rows(summary.matrix).map { all in
      let now = changes[all.owner]
      owners[all.name] = all.owner
      return LiveRow(
        id: all.name,
        cells: [
          LiveFigures.rate(now?.count ?? 0, seconds),
          LiveFigures.rate(now?.errors ?? 0, seconds, .red),
          inside(now?.nanoseconds ?? 0, seconds), LiveFigures.count(all.count),
          .text((now ?? all).mostOften), .text(label(all)),
        ])
    }
  }

  private func label(_ row: OwnerRow) -> String {
    if case .process(let id, _, let command) = row.owner { return "\(command) (\(id))" }
    return row.name
  }

  /// The threads that were inside on average: seconds inside for each second.
  private func inside(_ nanoseconds: UInt64, _ seconds: Double) -> LiveCell {
    let threads = Double(nanoseconds) / 1e9 / seconds
    return .figure(nanoseconds == 0 ? "" : Figures.fixed(threads, decimals: 3), threads)
  }

  // MARK: - Details

  func details(table: Int, row: String) -> LiveDetails {
    table == tables.count - 1 ? callDetails(row) : ownerDetails(row)
  }

  private func callDetails(_ row: String) -> LiveDetails {
    guard let call = calls[row], let all = summary.calls.first(where: { $0.call == call }) else {
      return .gone
    }
    var details = LiveDetails("\(call.label)  (since the start)")
    details.lines = [
      "\(Figures.count(all.count)) calls, \(Figures.count(all.errors)) errors, mean "
        + "\(Figures.nanoseconds(all.meanNanoseconds)), longest "
        + Figures.nanoseconds(all.maximumNanoseconds)
    ]
    details.add("errors", LiveSyscalls.errors(summary.matrix.filter { $0.call == call }))
    let histogram = HistogramText.text("how long it takes", all.histogram)
    if !histogram.isEmpty { details.lines += LiveDetails("", ["", histogram]).lines }
    return details
  }

  private func ownerDetails(_ row: String) -> LiveDetails {
    guard let owner = owners[row] else { return .gone }
    let cells = summary.matrix.filter { $0.owner == owner }
    let name = OwnerRow.rows(cells).first.map(label) ?? row
    var details = LiveDetails("\(name)  (since the start)")
    var counts: [Syscall: (count: UInt64, nanoseconds: UInt64)] = [:]
    for cell in cells {
      let known = counts[cell.call] ?? (0, 0)
      counts[cell.call] = (known.count &+ cell.count, known.nanoseconds &+ cell.totalNanoseconds)
    }
    var table = TextTable(rightAligned: [0, 1])
    for (call, sum) in counts.sorted(by: {
      $0.value.count == $1.value.count ? $0.key < $1.key : $0.value.count > $1.value.count
    }) {
      table.add(Figures.count(sum.count), Figures.nanoseconds(sum.nanoseconds), call.label)
    }
    details.add("calls, and the time inside", table)
    details.add("errors", LiveSyscalls.errors(cells))
    return details
  }

  /// Errors by number and call, the most frequent first.
  private static func errors(_ cells: [SyscallCount]) -> TextTable {
    struct Key: Hashable {
      let number: Int32
      let call: Syscall
    }
    var counts: [Key: UInt64] = [:]
    for cell in cells {
      guard case .error(let number) = cell.outcome else { continue }
      counts[Key(number: number, call: cell.call), default: 0] &+= cell.count
    }
    var table = TextTable(rightAligned: [0])
    for (key, count) in counts.sorted(by: {
      $0.value == $1.value
        ? ($0.key.number, $0.key.call) < ($1.key.number, $1.key.call) : $0.value > $1.value
    }) {
      table.add(
        Figures.count(count), SyscallErrno.name(key.number), key.call.label,
        SyscallErrno.text(key.number))
    }
    return table
  }
}
