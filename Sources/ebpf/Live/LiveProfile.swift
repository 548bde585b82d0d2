import EBPF
import EBPFTracers
import Profiles
import TerminalView

/// `ebpf profile --live`: the functions and processes that ran, and who calls them.
final class LiveProfile: LiveSource {
  /// A function of one command: processes of the same name share it.
  fileprivate struct Function: Hashable {
    let command: String
    let name: String
    let module: String
  }

  /// What was sampled in a function.
  private struct Sums {
    /// Samples in it, and in it or what it called, since the start and in the last interval.
    var own: Int64 = 0
    var ownNow: Int64 = 0
    var total: Int64 = 0
    var totalNow: Int64 = 0
    /// Samples by the function that called it, and by those it called.
    var callers: [Function: Int64] = [:]
    var callees: [Function: Int64] = [:]
  }

  fileprivate struct ProcessSums {
    var command: String
    var samples: Int64 = 0
    var samplesNow: Int64 = 0
    var functions: [Function: Int64] = [:]
  }

  private var mark: CPUProfileMark?
  private var functions: [Function: Sums] = [:]
  private var names: [String: Function] = [:]
  private var processes: [Int32: ProcessSums] = [:]
  private var whole: Int64 = 0
  private var samplesNow: Int64 = 0
  private var seconds = 1.0
  private var frequency = 1
  private var processors = 1

  private(set) var tables: [LiveTable] = [
    LiveTable(
      name: "functions",
      columns: [
        .figure("SELF"), .figure("TOTAL", rank: 1), .figure("CPU TIME", rank: 2),
        .text("PROCESS", rank: 3, widest: 15), .text("MODULE", rank: 4, widest: 20),
        .text("FUNCTION"),
      ], sortColumn: 0, empty: "no samples yet: nothing that was asked for runs on a CPU"),
    LiveTable(
      name: "processes",
      columns: [
        .figure("CPU"), .figure("CPU TIME", rank: 1), .figure("PID"),
        .text("PROCESS", widest: 15), .text("HOTTEST FUNCTION", rank: 2),
      ], sortColumn: 0, empty: "no samples yet: nothing that was asked for runs on a CPU"),
  ]

  var status: [String] {
    let busy = Double(samplesNow) / (Double(frequency) * seconds)
    return ["\(Figures.fixed(busy, decimals: 2)) of \(processors) CPUs used"]
  }

  func refresh(_ tracer: CPUProfiler, seconds: Double) throws(EBPFError) {
    let snapshot = try tracer.snapshot(since: mark)
    mark = snapshot.mark
    self.seconds = seconds
    frequency = snapshot.profile.frequency
    processors = snapshot.profile.processors
    add(snapshot.profile.profile)
    tables[0].rows = functionRows()
    tables[1].rows = processRows()
  }

  // MARK: - Sums

  private func add(_ profile: Profile) {
    for key in functions.keys {
      functions[key]?.ownNow = 0
      functions[key]?.totalNow = 0
    }
    for key in processes.keys { processes[key]?.samplesNow = 0 }
    samplesNow = 0
    for sample in profile.samples {
      let process = profile.processes[sample.process]
      let count = sample.values[0]
      samplesNow += count
      whole += count
      let stack = profile.stacks[sample.stack].map { index in
        function(profile.frames[index], process.command, profile)
      }
      add(stack, count)
      processes[process.pid, default: ProcessSums(command: process.command)]
        .add(count, command: process.command, leaf: stack.first)
    }
  }

  private func add(_ stack: [Function], _ count: Int64) {
    // A function that calls itself is counted once in a stack.
    var met: Set<Function> = []
    for (depth, function) in stack.enumerated() {
      functions[function, default: Sums()].own += depth == 0 ? count : 0
      functions[function]?.ownNow += depth == 0 ? count : 0
      guard met.insert(function).inserted else { continue }
      functions[function]?.total += count
      functions[function]?.totalNow += count
      if depth > 0 { functions[function]?.callees[stack[depth - 1], default: 0] += count }
      if depth + 1 < stack.count {
        functions[function]?.callers[stack[depth + 1], default: 0] += count
      }
    }
  }

  private func function(
    _ frame: Profile.Frame, _ command: String, _ profile: Profile
  ) -> Function {
    let module = frame.mapping.map { profile.mappings[$0].path } ?? ""
    let file = module.split(separator: "/").last.map(String.init) ?? module
    // Code without a name is one row for each file: each address of its own would say nothing.
    return Function(
      command: command, name: frame.name ?? (file.isEmpty ? "[unknown]" : "[\(file)]"),
      module: frame.kind == .marker ? "" : file)
  }

  // MARK: - Rows

  private func functionRows() -> [LiveRow] {
    let period = UInt64(1_000_000_000 / max(frequency, 1))
    return functions.map { function, sums in
      let id = "\(function.command)\u{0}\(function.module)\u{0}\(function.name)"
      names[id] = function
      return LiveRow(
        id: id,
        cells: [
          LiveFigures.share(Double(sums.ownNow), of: Double(samplesNow)),
          LiveFigures.share(Double(sums.totalNow), of: Double(samplesNow)),
          LiveFigures.time(sums.own == 0 ? nil : UInt64(sums.own) &* period),
          .text(function.command),
          .text(function.module, .dim), .text(function.name),
        ])
    }
  }

  private func processRows() -> [LiveRow] {
    let period = UInt64(1_000_000_000 / max(frequency, 1))
    return processes.map { id, sums in
      let hottest = sums.functions.max {
        ($0.value, $1.key.name) < ($1.value, $0.key.name)
      }
      let busy = Double(sums.samplesNow) / (Double(frequency) * seconds)
      return LiveRow(
        id: String(id),
        cells: [
          LiveFigures.share(busy, of: 1), LiveFigures.time(UInt64(sums.samples) &* period),
          .figure(String(id), Double(id)), .text(sums.command), .text(hottest?.key.name ?? ""),
        ])
    }
  }

  // MARK: - Details

  func details(table: Int, row: String) -> LiveDetails {
    table == 0 ? functionDetails(row) : processDetails(row)
  }

  private func functionDetails(_ row: String) -> LiveDetails {
    guard let function = names[row], let sums = functions[function] else { return .gone }
    var details = LiveDetails("\(function.name)  (\(function.module), \(function.command))")
    let share = { (count: Int64) in
      Figures.fixed(Double(count) / Double(max(self.whole, 1)) * 100, decimals: 1) + " %"
    }
    details.lines = [
      "Of all samples since the start: \(share(sums.own)) in it, "
        + "\(share(sums.total)) in it or what it called."
    ]
    details.add("called by", LiveProfile.table(sums.callers, of: sums.total))
    details.add("calls", LiveProfile.table(sums.callees, of: sums.total))
    return details
  }

  private func processDetails(_ row: String) -> LiveDetails {
    guard let id = Int32(row), let sums = processes[id] else { return .gone }
    var details = LiveDetails("\(sums.command) (\(id))")
    details.lines = ["\(Figures.count(UInt64(sums.samples))) samples since the start."]
    details.add("in", LiveProfile.table(sums.functions, of: sums.samples))
    return details
  }

  /// Functions with their share of a sum, the largest first.
  private static func table(_ counts: [Function: Int64], of whole: Int64) -> TextTable {
    var table = TextTable(rightAligned: [0])
    let ordered = counts.sorted {
      ($1.value, $0.key.name, $0.key.module) < ($0.value, $1.key.name, $1.key.module)
    }
    for (function, count) in ordered {
      let share = Double(count) / Double(max(whole, 1)) * 100
      table.add(Figures.fixed(share, decimals: 1) + " %", function.name, function.module)
    }
    return table
  }
}

extension LiveProfile.ProcessSums {
  fileprivate mutating func add(
    _ count: Int64, command: String, leaf: LiveProfile.Function?
  ) {
    // A process that became another program has that one's name.
    self.command = command
    samples += count
    samplesNow += count
    if let leaf { functions[leaf, default: 0] += count }
  }
}
