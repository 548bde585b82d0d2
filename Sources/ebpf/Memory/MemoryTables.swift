import EBPFSystem
import EBPFTracers
import Profiles

/// The tables of a memory recording.
struct MemoryTables {
  private let result: MemoryRecording
  private let leaks: [MemoryBlock]
  private let command: MemoryCommand
  private let containers: ContainerNames?
  private let stacks: StackNames
  private let columns: Int

  init(
    _ result: MemoryRecording, leaks: [MemoryBlock], command: MemoryCommand,
    containers: ContainerNames?
  ) {
    self.containers = containers
    self.result = result
    self.leaks = leaks
    self.command = command
    stacks = StackNames(result.profile)
    columns = StandardStream.output.columns ?? 132
  }

  /// All tables that have something to show.
  var text: String {
    var parts = [victims]
    if command.recordsAllocations {
      parts += [totals, allocationSites]
      parts.append(command.listsBlocks ? blocks : leakSites)
    } else {
      parts += [processes, growthSites]
    }
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var totals: String {
    let totals = result.totals
    var table = TextTable(rightAligned: [1, 2])
    table.add("", "BLOCKS", "BYTES")
    table.add("allocated", Figures.count(totals.allocations), Figures.count(totals.allocatedBytes))
    table.add("freed", Figures.count(totals.frees), Figures.count(totals.freedBytes))
    table.add("in use", Figures.count(totals.activeAllocations), Figures.count(totals.currentBytes))
    return table.text()
  }

  private var allocationSites: String {
    let sites = result.sites.filter { $0.kind == .allocation }
    var table = TextTable(rightAligned: [0, 1, 2, 3])
    table.add("ALLOCATED", "BLOCKS", "IN USE", "BLOCKS", "PROCESS", "WHERE")
    for site in sites.prefix(command.top) {
      table.add(
        Figures.bytes(site.bytes), Figures.count(site.count), Figures.bytes(site.activeBytes),
        Figures.count(site.activeCount), name(site.command, site.process),
        stacks.brief(site.stack))
    }
    return sites.isEmpty ? "" : cut(table) + omitted(sites.count, "places")
  }

  /// Blocks in use that were asked for, by stack.
  private var leakSites: String {
    struct Key: Hashable {
      var process: Int32
      var stack: Int
    }
    var sums: [Key: (count: UInt64, bytes: UInt64, oldest: UInt64, command: String)] = [:]
    for block in leaks {
      let key = Key(process: block.process, stack: block.stack)
      let sum = sums[key] ?? (0, 0, 0, block.command)
      sums[key] = (
        sum.count + 1, sum.bytes &+ block.size, max(sum.oldest, block.age), sum.command
      )
    }
    guard !sums.isEmpty else { return "no blocks in use\n" }
    var table = TextTable(rightAligned: [0, 1, 2])
    table.add("NOT FREED", "BLOCKS", "OLDEST", "PROCESS", "STACK")
    let ordered = sums.sorted {
      ($1.value.bytes, $0.key.process, $0.key.stack) < (
        $0.value.bytes, $1.key.process, $1.key.stack
      )
    }
    for (key, sum) in ordered.prefix(command.top) {
      let names = stacks.names(key.stack)
      table.add(
        Figures.bytes(sum.bytes), Figures.count(sum.count), Figures.nanoseconds(sum.oldest),
        name(sum.command, key.process), names.first ?? "")
      for name in names.dropFirst() { table.add("", "", "", "", name) }
    }
    return cut(table) + omitted(sums.count, "places")
  }

  private var blocks: String {
    guard !leaks.isEmpty else { return "no blocks in use\n" }
    var table = TextTable(rightAligned: [0, 1, 2])
    table.add("ADDRESS", "SIZE", "AGE", "PROCESS", "WHERE")
    for block in leaks {
      table.add(
        "0x" + String(block.address, radix: 16), Figures.count(block.size),
        Figures.nanoseconds(block.age), name(block.command, block.process),
        stacks.brief(block.stack))
    }
    return cut(table)
  }

  private var processes: String {
    var table = TextTable(rightAligned: [0, 1, 2, 3, 4, 5, 6, 7])
    table.add(
      "GROWTH", "BEFORE", "AFTER", "PEAK", "FAULTS", "MAPPED", "UNMAPPED", "BREAK", "PROCESS",
      command.tracing.containers ? "CONTAINER" : "")
    // A shell's copy of itself that only executes another program is of no interest.
    let grown = result.processes.filter { $0.growth != 0 || $0.faults > 0 || $0.maps > 0 }
    for process in grown.prefix(command.top) {
      table.add(
        signed(process.growth),
        process.isExisting ? Figures.bytes(process.residentBefore) : "new",
        process.hasEnded ? "ended" : Figures.bytes(process.residentAfter),
        Figures.bytes(process.residentPeak), Figures.count(process.faults),
        Figures.bytes(process.mappedBytes), Figures.bytes(process.unmappedBytes),
        signed(process.breakBytes), name(process.command, process.process),
        command.tracing.containers
          ? containers?.column(cgroup: process.cgroup, process: process.process) ?? "-" : "")
    }
    guard !grown.isEmpty else { return "no process grew\n" }
    return cut(table) + omitted(grown.count, "processes")
  }

  private var growthSites: String {
    let sites = result.sites
    guard !sites.isEmpty else { return "" }
    var table = TextTable(rightAligned: [0, 1])
    table.add("BYTES", "TIMES", "BY", "PROCESS", "WHERE")
    let isEstimated = command.faultStacks > 1
    for site in sites.prefix(command.top) {
      let about = site.kind == .fault && isEstimated ? "~" : ""
      table.add(
        about + Figures.bytes(site.bytes), about + Figures.count(site.count), site.kind.word,
        name(site.command, site.process), stacks.brief(site.stack))
    }
    return cut(table) + omitted(sites.count, "places")
  }

  private var victims: String {
    result.victims.map { victim in
      let who =
        victim.command.isEmpty ? "process \(victim.process)" : name(victim.command, victim.process)
      var lines =
        "killed for want of memory: \(who), \(Figures.bytes(victim.anonymousBytes)) anonymous, "
        + "\(Figures.bytes(victim.fileBytes)) of files, \(Figures.bytes(victim.sharedBytes)) shared\n"
      for point in victim.history {
        lines +=
          "  \(Figures.fixed(Double(point.before) / 1e9, decimals: 2)) s before: "
          + "\(Figures.bytes(point.residentBytes)) resident\n"
      }
      return lines
    }.joined()
  }

  // MARK: - Cells

  private func name(_ command: String, _ process: Int32) -> String { "\(command) (\(process))" }

  private func signed(_ bytes: Int64) -> String {
    (bytes < 0 ? "-" : "+") + Figures.bytes(bytes.magnitude)
  }

  /// No line longer than the terminal.
  private func cut(_ table: TextTable) -> String {
    table.lines().map { line in
      line.count > columns ? line.prefix(max(1, columns - 1)) + "…\n" : line + "\n"
    }.joined()
  }

  private func omitted(_ count: Int, _ noun: String) -> String {
    count > command.top ? "and \(count - command.top) more \(noun) (--top)\n" : ""
  }
}

extension MemorySite.Kind {
  /// The word a table uses.
  var word: String {
    switch self {
    case .allocation: "allocation"
    case .fault: "touch"
    case .map: "mmap"
    case .programBreak: "brk"
    }
  }
}
