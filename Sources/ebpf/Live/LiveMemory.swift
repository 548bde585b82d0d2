import EBPF
import EBPFTracers
import Profiles
import TerminalView

/// `ebpf memory --live`: which processes grow, and where memory is asked for.
final class LiveMemory: LiveSource {
  private struct Site {
    var site: MemorySite
    var names: [String]
  }

  private let recordsAllocations: Bool
  private let isEstimated: Bool
  private var recording: MemoryRecording?
  private var before: (processes: [String: ProcessGrowth], sites: [String: MemorySite]) = ([:], [:])
  private var sites: [String: Site] = [:]
  private var victims = 0

  private(set) var tables: [LiveTable]

  init(_ command: MemoryCommand) {
    recordsAllocations = command.recordsAllocations
    isEstimated = command.recordsAllocations ? !command.exact : command.faultStacks > 1
    let processes = LiveTable(
      name: "processes",
      columns: [
        .figure("GROWTH/s"), .figure("GROWTH"), .figure("RESIDENT", rank: 1),
        .figure("FAULTS/s", rank: 2), .figure("MAPPED/s", rank: 3), .figure("BREAK", rank: 5),
        .figure("PID", rank: 4), .text("PROCESS"),
      ], sortColumn: 1, empty: "no process has touched new memory")
    let places =
      recordsAllocations
      ? LiveTable(
        name: "allocations",
        columns: [
          .figure("IN USE"), .figure("BLOCKS", rank: 3), .figure("CHANGE/s", rank: 2),
          .figure("ALLOCATED/s", rank: 1), .figure("ALLOCATED", rank: 5),
          .text("PROCESS", rank: 4, widest: 20), .text("WHERE"),
        ], sortColumn: 0, empty: "nothing was allocated")
      : LiveTable(
        name: "places",
        columns: [
          .figure("BYTES/s"), .figure("BYTES"), .figure("TIMES", rank: 2),
          .text("BY", rank: 1, widest: 10), .text("PROCESS", rank: 3, widest: 20), .text("WHERE"),
        ], sortColumn: 1, empty: "no memory was mapped or touched")
    tables = recordsAllocations ? [places, processes] : [processes, places]
  }

  var status: [String] {
    var parts: [String] = []
    if recordsAllocations, let totals = recording?.totals {
      let about = isEstimated ? "about " : ""
      parts.append("\(about)\(Figures.bytes(totals.currentBytes)) in use")
      parts.append("\(about)\(Figures.count(totals.activeAllocations)) blocks")
    }
    if victims > 0 { parts.append("\(victims) killed for want of memory") }
    return parts
  }

  func refresh(_ tracer: MemoryTracer, seconds: Double) throws(EBPFError) {
    let recording = try tracer.snapshot()
    self.recording = recording
    victims = recording.victims.count
    let processes = processRows(recording, seconds)
    let places = siteRows(recording, seconds)
    tables[0].rows = recordsAllocations ? places : processes
    tables[1].rows = recordsAllocations ? processes : places
  }

  // MARK: - Rows

  private func processRows(_ recording: MemoryRecording, _ seconds: Double) -> [LiveRow] {
    var known: [String: ProcessGrowth] = [:]
    let rows = recording.processes.filter { $0.growth != 0 || $0.faults > 0 || $0.maps > 0 }
      .map { process in
        let id = "\(process.process) \(process.command) \(process.isExisting)"
        known[id] = process
        let old = before.processes[id]
        let faults = process.faults - min(process.faults, old?.faults ?? 0)
        let mapped = process.mappedBytes - min(process.mappedBytes, old?.mappedBytes ?? 0)
        let change = process.growth.subtractingReportingOverflow(old?.growth ?? 0).partialValue
        return LiveRow(
          id: id,
          cells: [
            LiveMemory.change(change, seconds), LiveFigures.signedBytes(process.growth),
            .figure(
              process.hasEnded ? "ended" : Figures.bytes(process.residentAfter),
              process.hasEnded ? -1 : Double(process.residentAfter)),
            LiveFigures.rate(faults, seconds), LiveFigures.byteRate(mapped, seconds),
            LiveFigures.signedBytes(process.breakBytes),
            .figure(String(process.process), Double(process.process)), .text(process.command),
          ])
      }
    before.processes = known
    return rows
  }

  private func siteRows(_ recording: MemoryRecording, _ seconds: Double) -> [LiveRow] {
    let names = StackNames(recording.profile)
    var known: [String: MemorySite] = [:]
    sites = [:]
    var rows: [LiveRow] = []
    for site in recording.sites where (site.kind == .allocation) == recordsAllocations {
      let stack = names.names(site.stack)
      // Equal names may stand for different addresses: their number in order tells them apart.
      var id = "\(site.process) \(site.kind.rawValue) " + stack.joined(separator: "<")
      while known[id] != nil { id += "'" }
      known[id] = site
      sites[id] = Site(site: site, names: stack)
      let old = before.sites[id]
      rows.append(
        LiveRow(
          id: id, cells: cells(site, old, names.brief(site.stack), seconds)))
    }
    before.sites = known
    return rows
  }

  private func cells(
    _ site: MemorySite, _ old: MemorySite?, _ place: String, _ seconds: Double
  ) -> [LiveCell] {
    let bytes = site.bytes - min(site.bytes, old?.bytes ?? 0)
    let who = "\(site.command) (\(site.process))"
    guard recordsAllocations else {
      return [
        LiveFigures.byteRate(bytes, seconds),
        .figure(Figures.bytes(site.bytes), Double(site.bytes)), LiveFigures.count(site.count),
        .text(site.kind.word), .text(who), .text(place),
      ]
    }
    let change =
      Int64(clamping: site.activeBytes) - Int64(clamping: old?.activeBytes ?? 0)
    return [
      .figure(Figures.bytes(site.activeBytes), Double(site.activeBytes)),
      LiveFigures.count(site.activeCount), LiveMemory.change(change, seconds),
      LiveFigures.byteRate(bytes, seconds),
      .figure(Figures.bytes(site.bytes), Double(site.bytes)), .text(who), .text(place),
    ]
  }

  private static func change(_ bytes: Int64, _ seconds: Double) -> LiveCell {
    LiveFigures.signedBytes(Int64(max(-1e18, min(1e18, Double(bytes) / seconds)).rounded()))
  }

  // MARK: - Details

  func details(table: Int, row: String) -> LiveDetails {
    (table == 0) == recordsAllocations ? siteDetails(row) : processDetails(row)
  }

  private func siteDetails(_ row: String) -> LiveDetails {
    guard let found = sites[row] else { return .gone }
    let site = found.site
    let about = isEstimated && site.kind != .map && site.kind != .programBreak ? "about " : ""
    var details = LiveDetails("\(site.kind.word) in \(site.command) (\(site.process))")
    details.lines = [
      "\(about)\(Figures.bytes(site.bytes)) in \(about)\(Figures.count(site.count)) times"
        + (recordsAllocations
          ? ", \(about)\(Figures.bytes(site.activeBytes)) in "
            + "\(Figures.count(site.activeCount)) blocks still in use" : ""),
      "", "stack, the innermost function first",
    ]
    details.lines += found.names.map { "  " + $0 }
    return details
  }

  private func processDetails(_ row: String) -> LiveDetails {
    guard let process = before.processes[row], let recording else { return .gone }
    var details = LiveDetails("\(process.command) (\(process.process))")
    var figures = TextTable()
    figures.add(
      "resident before",
      process.isExisting ? Figures.bytes(process.residentBefore) : "it started later")
    figures.add(
      "resident now", process.hasEnded ? "it has ended" : Figures.bytes(process.residentAfter))
    figures.add("at most", Figures.bytes(process.residentPeak))
    figures.add("page faults", Figures.count(process.faults))
    figures.add(
      "mapped", "\(Figures.bytes(process.mappedBytes)) in \(Figures.count(process.maps)) calls")
    figures.add(
      "unmapped",
      "\(Figures.bytes(process.unmappedBytes)) in \(Figures.count(process.unmaps)) calls")
    details.add("memory", figures)
    let names = StackNames(recording.profile)
    var places = TextTable(rightAligned: [0])
    for site in recording.sites where site.process == process.process {
      places.add(Figures.bytes(site.bytes), site.kind.word, names.brief(site.stack, depth: 8))
    }
    details.add("places", places)
    return details
  }
}
