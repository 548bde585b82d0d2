import EBPFTracers

/// The table of a summary, as the command was asked for it.
struct SyscallsTable {
  private let summary: SyscallSummary
  private let command: SyscallsCommand
  private let containers: ContainerNames?

  init(_ summary: SyscallSummary, command: SyscallsCommand, containers: ContainerNames?) {
    self.containers = command.tracing.containers ? containers : nil
    self.summary = summary
    self.command = command
  }

  /// The rows asked for, and a line that says how many were left out.
  func text() -> String {
    switch command.grouping {
    case .syscall: bySyscall()
    case .process, .cgroup: byOwner()
    case .errno: byErrno()
    }
  }

  // MARK: - By call

  private func bySyscall() -> String {
    let rows = SyscallsTable.sorted(summary.calls, byTime: command.latency)
    var table = TextTable(rightAligned: [1, 2, 3, 4, 5, 6, 7, 8])
    table.add("SYSCALL", "CALLS", "ERRORS", "UNRETURNED", "TOTAL", "MEAN", "P50", "P99", "MAX")
    for row in limited(rows) {
      func time(_ value: UInt64?) -> String {
        row.returns == 0 ? "-" : value.map(Figures.nanoseconds) ?? "-"
      }
      table.add(
        row.call.label, Figures.count(row.count), SyscallsTable.count(row.errors),
        SyscallsTable.count(row.unreturned), time(row.totalNanoseconds),
        time(row.meanNanoseconds), time(row.quantile(0.5)), time(row.quantile(0.99)),
        time(row.maximumNanoseconds))
    }
    return table.text() + rest(rows.count)
  }

  /// Calls that were recorded, the most frequent first, or those with the most time inside.
  static func sorted(_ calls: [SyscallTotals], byTime: Bool) -> [SyscallTotals] {
    calls.filter { $0.count > 0 }.sorted {
      let left = byTime ? $0.totalNanoseconds : $0.count
      let right = byTime ? $1.totalNanoseconds : $1.count
      return left == right ? $0.call < $1.call : left > right
    }
  }

  // MARK: - By process or cgroup

  private func byOwner() -> String {
    let rows = OwnerRow.rows(summary.matrix).sorted {
      let left = command.latency ? $0.nanoseconds : $0.count
      let right = command.latency ? $1.nanoseconds : $1.count
      return left == right ? $0.name < $1.name : left > right
    }
    let isProcess = command.grouping == .process
    var table = TextTable(rightAligned: isProcess ? [0, 2, 3, 4, 5] : [1, 2, 3, 4])
    let head = isProcess ? ["PID", "COMMAND"] : ["CGROUP"]
    let last = containers == nil ? [] : ["CONTAINER"]
    table.add(head + ["CALLS", "ERRORS", "TOTAL", "MEAN", "MOST OFTEN"] + last)
    for row in limited(rows) {
      let cells = [
        Figures.count(row.count), SyscallsTable.count(row.errors),
        Figures.nanoseconds(row.nanoseconds),
        Figures.nanoseconds(row.count == 0 ? 0 : row.nanoseconds / row.count), row.mostOften,
      ]
      let container = containers.map {
        [$0.column(cgroup: row.cgroup(summary), process: row.process)]
      }
      table.add(row.labels + cells + (container ?? []))
    }
    return table.text() + rest(rows.count)
  }

  // MARK: - By errno

  private func byErrno() -> String {
    var counts: [ErrnoRow: UInt64] = [:]
    for cell in summary.matrix {
      guard case .error(let number) = cell.outcome else { continue }
      counts[ErrnoRow(number: number, call: cell.call), default: 0] += cell.count
    }
    let rows = counts.sorted {
      $0.value == $1.value
        ? ($0.key.number, $0.key.call) < ($1.key.number, $1.key.call) : $0.value > $1.value
    }
    var table = TextTable(rightAligned: [2])
    table.add("ERRNO", "SYSCALL", "COUNT", "MEANING")
    for row in limited(rows) {
      table.add(
        SyscallErrno.name(row.key.number), row.key.call.label, Figures.count(row.value),
        SyscallErrno.text(row.key.number))
    }
    return table.text() + rest(rows.count)
  }

  private struct ErrnoRow: Hashable {
    let number: Int32
    let call: Syscall
  }

  // MARK: -

  private func limited<Row>(_ rows: [Row]) -> ArraySlice<Row> {
    command.top == 0 ? rows[...] : rows.prefix(command.top)
  }

  private func rest(_ count: Int) -> String {
    command.top > 0 && count > command.top
      ? "... and \(Figures.count(UInt64(count - command.top))) more; -T 0 shows all\n" : ""
  }

  /// A count; nothing for none, so that what there is stands out.
  static func count(_ value: UInt64) -> String { value == 0 ? "" : Figures.count(value) }
}

/// What one process or cgroup did.
struct OwnerRow {
  let owner: SyscallOwner
  var count: UInt64 = 0
  var errors: UInt64 = 0
  var nanoseconds: UInt64 = 0
  private var calls: [Syscall: UInt64] = [:]

  private init(_ owner: SyscallOwner) { self.owner = owner }

  /// A row for each owner in the matrix.
  static func rows(_ matrix: [SyscallCount]) -> [OwnerRow] {
    var rows: [SyscallOwner: OwnerRow] = [:]
    for cell in matrix {
      rows[cell.owner, default: OwnerRow(cell.owner)].add(cell)
    }
    return Array(rows.values)
  }

  private mutating func add(_ cell: SyscallCount) {
    count += cell.count
    nanoseconds += cell.totalNanoseconds
    if case .error = cell.outcome { errors += cell.count }
    calls[cell.call, default: 0] += cell.count
  }

  /// The first columns.
  var labels: [String] {
    switch owner {
    case .all: ["all"]
    case .process(let id, _, let command): [String(id), command]
    case .cgroup(let id, let path): [path ?? "cgroup \(id), gone"]
    }
  }

  /// The process; nil for a cgroup.
  var process: Int32? {
    if case .process(let id, _, _) = owner { return id }
    return nil
  }

  /// The id of the cgroup.
  func cgroup(_ summary: SyscallSummary) -> UInt64? {
    if case .cgroup(let id, _) = owner { return id }
    return summary.cgroups[owner]
  }

  /// What rows with equal figures are ordered by.
  var name: String { labels.joined(separator: " ") }

  /// The most frequent call and its share.
  var mostOften: String {
    let most = calls.max { $0.value == $1.value ? $0.key > $1.key : $0.value < $1.value }
    guard let most, count > 0 else { return "" }
    return "\(most.key.label) \(most.value * 100 / count) %"
  }
}
