import EBPFTracers
import TestSupport
import Testing

/// Capability 23 on the running kernel, against the kernel's own counters and `ss`.
@Suite(.serialized) struct NetworkStatisticsTests: SocketTracing {
  /// The counters of /proc/PID/net/snmp: `Tcp.ActiveOpens`.
  private func counters(of process: Int32) throws -> [String: Int] {
    let text = String(decoding: try contents(ofFile: "/proc/\(process)/net/snmp"), as: UTF8.self)
    var counters: [String: Int] = [:]
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    for (names, values) in zip(lines, lines.dropFirst()) where names[0] == values[0] {
      for (name, value) in zip(names, values).dropFirst() {
        counters["\(names[0].dropLast()).\(name)"] = Int(value)
      }
    }
    return counters
  }

  @Test func `statistics agree with the namespace's own counters`() throws {
    let child = try StoppedProcess(workload: "sockets", ["existing"])
    let before = try counters(of: child.id)
    let tracer = tracer(of: child.id)
    try tracer.start()
    try child.resumeUntilStopped()
    let after = try counters(of: child.id)
    let activity = try tracer.activity()
    func difference(_ name: String) -> Int { (after[name] ?? 0) - (before[name] ?? 0) }
    #expect(
      activity.totals.segments
        == UInt64(difference("Tcp.OutSegs") + difference("Tcp.InSegs")))
    #expect(difference("Tcp.ActiveOpens") == 0)
    child.resume()
    try child.wait()
    _ = try tracer.stop()
  }

  @Test func `opens and datagrams agree with the namespace's own counters`() throws {
    let child = try StoppedProcess(workload: "sockets", ["twice"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    for round in 1...2 {
      try child.resumeUntilStopped()
      let kernel = try counters(of: child.id)
      let totals = try tracer.activity().totals
      #expect(kernel["Tcp.ActiveOpens"] == round && totals.connects == UInt64(round))
      #expect(kernel["Tcp.PassiveOpens"] == round && totals.accepts == UInt64(round))
      #expect(totals.bytesSent == UInt64(round) * 1000)
      #expect(try tracer.statistics().recorded == UInt64(round) * 2)
    }
    try child.finish()
    #expect(try tracer.stop().totals.connects == 3)
  }

  @Test func `an idle connection's health is what ss shows, field by field`() throws {
    let child = try StoppedProcess(workload: "sockets", ["existing"])
    let tracer = tracer(of: child.id)
    try tracer.start()
    try child.resumeUntilStopped()
    let shown = try Command.output([
      "nsenter", "--net=/proc/\(child.id)/ns/net", "ss", "-tinH", "state", "established",
    ])
    let activity = try tracer.activity()
    let lines = shown.split(separator: "\n")
    try #require(lines.count == 4, "\(shown)")
    for (first, second) in [(lines[0], lines[1]), (lines[2], lines[3])] {
      let ends = first.split(separator: " ")
      let connection = try #require(
        activity.connections.first {
          $0.local.description == ends[2] && $0.remote.description == ends[3]
        })
      try compare(connection.health, with: SocketStatistics(String(second)))
      #expect(connection.health.receiveQueue == UInt32(ends[0]))
      #expect(connection.health.sendQueue == UInt32(ends[1]))
    }
    child.resume()
    try child.wait()
    _ = try tracer.stop()
  }

  private func compare(_ health: NetworkHealth, with shown: SocketStatistics) throws {
    #expect(shown.words.contains(health.algorithm))
    #expect(health.congestionState == "open")
    let rtt = try #require(shown.pair("rtt"))
    #expect(health.roundTripMicroseconds == UInt32((rtt.0 * 1000).rounded()))
    #expect(health.roundTripVariationMicroseconds == UInt32((rtt.1 * 1000).rounded()))
    #expect(
      health.minimumRoundTripMicroseconds
        == shown.number("minrtt").map { UInt32(($0 * 1000).rounded()) })
    for (name, value) in [
      ("mss", health.segmentSize), ("cwnd", health.congestionWindow),
      ("segs_out", health.segmentsOut), ("segs_in", health.segmentsIn),
      ("data_segs_out", health.dataSegmentsOut), ("data_segs_in", health.dataSegmentsIn),
      ("delivered", health.delivered), ("snd_wnd", health.sendWindow),
    ] {
      #expect(UInt32(shown.number(name) ?? 0) == value, "\(name)")
    }
    for (name, value) in [
      ("bytes_sent", health.bytesSent), ("bytes_acked", health.bytesAcknowledged),
      ("bytes_received", health.bytesReceived), ("bytes_retrans", health.bytesRetransmitted),
    ] {
      #expect(UInt64(shown.number(name) ?? 0) == value, "\(name)")
    }
    // Left out by ss where they are 0, or 3 for reordering.
    #expect(UInt32(shown.number("reordering") ?? 3) == health.reordering)
    #expect(UInt32(shown.number("reord_seen") ?? 0) == health.reorderingSeen)
    #expect(UInt32(shown.number("rcv_ooopack") ?? 0) == health.outOfOrder)
    #expect(UInt32(shown.number("dsack_dups") ?? 0) == health.duplicateAcknowledgements)
    #expect(shown.number("ssthresh").map { UInt32($0) } == health.slowStartThreshold)
    let busy = try #require(health.busyNanoseconds)
    #expect(UInt64(shown.number("busy") ?? 0) == busy / 1_000_000)
  }
}

/// The second line that `ss -ti` prints for a connection.
private struct SocketStatistics {
  let words: [String]

  init(_ line: String) { words = line.split { $0 == " " || $0 == "\t" }.map(String.init) }

  /// `name:12.5ms/…` as 12.5.
  func number(_ name: String) -> Double? {
    text(name).flatMap { Double($0.prefix { $0.isNumber || $0 == "." }) }
  }

  func pair(_ name: String) -> (Double, Double)? {
    guard let parts = text(name)?.split(separator: "/"), parts.count == 2,
      let first = Double(parts[0]), let second = Double(parts[1])
    else { return nil }
    return (first, second)
  }

  private func text(_ name: String) -> String? {
    words.first { $0.hasPrefix(name + ":") }.map { String($0.dropFirst(name.count + 1)) }
  }
}
