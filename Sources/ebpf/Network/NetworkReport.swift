import EBPF
import EBPFTracers

/// What a recording says at its end: the tables and the footer, or the JSON.
struct NetworkReport {
  private let result: NetworkActivity
  private let command: NetworkCommand
  private let containers: ContainerNames?
  private let economy: GovernorState?

  init(
    _ result: NetworkActivity, command: NetworkCommand, containers: ContainerNames?,
    economy: GovernorState?
  ) {
    self.result = result
    self.economy = economy
    self.containers = containers
    self.command = command
  }

  /// True when not everything that happened is in the result.
  var hasLoss: Bool { result.statistics.dropped > 0 || result.statistics.unfollowed > 0 }

  /// What is missing, in one sentence.
  var lossSentence: String {
    "\(Figures.count(result.statistics.dropped)) events were lost"
      + TracerFooter.unfollowed(result.statistics)
  }

  /// Writes the result, then the footer.
  func write() throws(EBPFError) {
    if command.tracing.json {
      let document = AnyDocument(document(file: nil))
      // After lines of events it is a line, too.
      try Output.write(command.events ? JSONDocument.line(document) : JSONDocument.text(document))
      return
    }
    try printTables()
    footer()
  }

  private var text: String {
    var parts: [String] = []
    if !command.events {
      let table = NetworkTable(
        top: command.top, wide: command.wide,
        containers: command.tracing.containers ? containers : nil)
      parts.append(table.connections(result.connections))
      parts.append(table.sockets(result.sockets))
    }
    if command.histogram {
      let established = result.connections.filter(\.isEstablished)
      parts.append(
        PowerHistogram(
          "round-trip time (µs)",
          established.compactMap { $0.health.roundTripMicroseconds.map(UInt64.init) }
        ).text)
      parts.append(
        PowerHistogram(
          "connect time (µs)",
          established.filter { $0.role == .connect }.compactMap {
            $0.handshakeNanoseconds.map { $0 / 1000 }
          }
        ).text)
    }
    if command.dns { parts.append(queries) }
    if command.drops { parts.append(drops) }
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var queries: String {
    struct Name: Hashable {
      let name: String
      let type: String
    }
    guard !result.queries.isEmpty else { return "" }
    let groups = Dictionary(grouping: result.queries) { Name(name: $0.name, type: $0.type) }
    let rows = groups.sorted { ($0.value.count, $1.key.name) > ($1.value.count, $0.key.name) }
    var table = TextTable(rightAligned: [0, 2, 3, 4])
    table.add("QUERIES", "TYPE", "MEDIAN", "MAXIMUM", "UNANSWERED", "ANSWERS", "NAME")
    let limit = command.top == 0 ? rows.count : command.top
    for (key, queries) in rows.prefix(limit) {
      let latencies = queries.compactMap { $0.answer?.latencyNanoseconds }.sorted()
      let codes = Dictionary(grouping: queries.compactMap { $0.answer?.code }) { $0 }
        .map { "\($0.key) \($0.value.count)" }.sorted().joined(separator: ", ")
      table.add(
        Figures.count(UInt64(queries.count)), key.type,
        latencies.isEmpty ? "-" : Figures.nanoseconds(latencies[latencies.count / 2]),
        latencies.last.map { Figures.nanoseconds($0) } ?? "-",
        Figures.count(UInt64(queries.count - latencies.count)), codes.isEmpty ? "-" : codes,
        key.name)
    }
    return table.text()
      + (rows.count > limit ? "… and \(rows.count - limit) more names (--top)\n" : "")
  }

  private var drops: String {
    guard !result.drops.isEmpty else { return "" }
    var table = TextTable(rightAligned: [0, 1])
    table.add("DROPPED", "BYTES", "REASON", "PROTOCOL", "FUNCTION")
    let limit = command.top == 0 ? result.drops.count : command.top
    for drop in result.drops.prefix(limit) {
      table.add(
        Figures.count(drop.packets), Figures.bytes(drop.bytes), drop.reason, drop.protocolName,
        drop.function ?? "-")
    }
    return table.text()
  }

  /// What was recorded, what was lost and what it cost.
  private func footer() {
    let totals = result.totals
    let statistics = result.statistics
    let footer = TracerFooter()
    footer.line(
      "recorded",
      "\(Figures.count(totals.connects)) connects, \(Figures.count(totals.accepts)) accepts, "
        + "\(Figures.count(totals.failures)) failed, \(Figures.count(totals.existing)) existing, "
        + "\(Figures.count(totals.datagramSockets)) UDP sockets in "
        + Figures.seconds(Double(statistics.recordedNanoseconds) / 1e9)
        + "; \(Figures.count(statistics.dropped)) dropped"
        + TracerFooter.unfollowed(statistics))
    footer.line(
      "payload",
      "\(Figures.bytes(totals.bytesSent)) sent, \(Figures.bytes(totals.bytesReceived)) received, "
        + "\(Figures.count(totals.retransmits + totals.listenerRetransmits)) segments sent again")
    if command.dns {
      footer.line(
        "dns",
        "\(Figures.count(totals.queries)) queries, "
          + "\(Figures.count(result.malformedMessages)) malformed messages")
    }
    if result.unlisted > 0 {
      footer.line("unlisted", "\(Figures.count(result.unlisted)) are in the totals only")
    }
    if let contexts = result.contexts {
      footer.contexts(contexts, of: "connections and queries")
    }
    footer.hooks(result.hooks)
    footer.overhead(result.overhead)
    footer.economy(economy, [statistics])
  }
}

extension NetworkReport: TracerReport {
  var name: String { "network" }
  var statistics: TracerStatistics { result.statistics }
  var cost: TracerOverhead? { result.overhead }
  var hooks: [TracerHook] { result.hooks }

  func writeFile() -> String? { nil }

  func document(file: String?) -> any Encodable {
    NetworkDocument(result, containers, economy: economy)
  }

  func printTables() throws(EBPFError) { try Output.write(text) }
}

extension NetworkDrop {
  /// The ethertype's name.
  var protocolName: String {
    switch etherType {
    case 0x0800: "IPv4"
    case 0x86dd: "IPv6"
    case 0x0806: "ARP"
    case 0: "-"
    default: "0x" + String(etherType, radix: 16)
    }
  }
}
