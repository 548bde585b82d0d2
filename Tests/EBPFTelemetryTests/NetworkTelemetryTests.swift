import OTLP
import TestSupport
import Testing

@testable import EBPFTelemetry
@testable import EBPFTracers

@Suite struct NetworkTelemetryTests {
  private func connection(
    role: UInt32 = 1, error: Int32 = 0, established: Bool = true, closed: Bool = true
  ) -> NetworkConnection {
    var record = NetworkRecord()
    record.what = closed ? NetworkRecord.What.closed : NetworkRecord.What.alive
    record.time = 5_000_000_000
    record.error = error
    record.connection.role = role
    record.connection.opened = 2_000_000_000
    record.connection.established = established ? 2_500_000_000 : 0
    record.connection.owner.processID = 7
    record.connection.tuple.remotePort = 80
    record.health.smoothedRoundTripTimes8 = 8 * 250
    return NetworkConnection(record, ticks: KernelTicks(perSecond: nil))
  }

  private func activity(_ connections: [NetworkConnection] = []) -> NetworkActivity {
    NetworkActivity(
      totals: NetworkTotals(), connections: connections, sockets: [], queries: [],
      malformedMessages: 0, drops: [], unlisted: 0, statistics: TracerStatistics(),
      overhead: TracerOverhead(cpuPercent: 0, residentBytes: 0, unavailable: []), hooks: [],
      wallOffset: 0)
  }

  private func rows(
    _ exports: [TelemetryExport], _ signal: TelemetrySignal, _ kind: String
  ) throws -> [[String]] {
    guard let export = exports.first(where: { $0.signal == signal }) else { return [] }
    return try OTLPDecoder.rows(signal.rawValue, try export.protobuf()).filter { $0[0] == kind }
  }

  @Test(arguments: [
    (111, "refused"), (104, "reset"), (110, "timed-out"), (113, "host-unreachable"),
    (101, "net-unreachable"), (99, "other"),
  ])
  func `a failed connect has the proposed convention's word for why`(error: Int32, type: String)
    throws
  {
    var telemetry = NetworkTelemetry(testOptions)
    telemetry.add(.failed(connection(error: error, established: false)))
    let exports = telemetry.collect(activity())
    let span = try #require(try rows(exports, .traces, "span").first)
    #expect(span[1] == "tcp connect" && span[2] == "3" && span[3] == "2")
    #expect(span[6].contains(#""error.type": "\#(type)""#))
    #expect((UInt64(span[5]) ?? 0) - (UInt64(span[4]) ?? 0) == 3_000_000_000)
    let failures = try rows(exports, .metrics, "point").filter {
      $0[1] == "system.network.tcp.connection.failures"
    }
    #expect(failures.map { [$0[4], $0[7]] } == [[#"{"error.type": "\#(type)"}"#, "1"]])
  }

  @Test func `a connection that was reset has both a lifetime and an error`() throws {
    var telemetry = NetworkTelemetry(testOptions)
    telemetry.add(.closed(connection(role: 2, error: 104)))
    let exports = telemetry.collect(activity())
    let span = try #require(try rows(exports, .traces, "span").first)
    #expect(span[1] == "tcp connection" && span[2] == "2" && span[3] == "2")
    let points = try rows(exports, .metrics, "point")
    let lifetime = try #require(points.first { $0[1] == "system.network.tcp.connection.duration" })
    #expect(lifetime[4...].first == #"{"network.tcp.handshake.role": "server"}"#)
    #expect(lifetime[7] == "1" && lifetime[8] == "3.0")
    #expect(points.first { $0[1] == "system.network.tcp.rtt.duration" }?[8] == "0.00025")
  }

  @Test func `what lives is no span, and what was not listed is counted`() throws {
    var telemetry = NetworkTelemetry(testOptions)
    var activity = activity([connection(), connection(closed: false), connection(role: 0)])
    activity.unlisted = 5
    activity.totals.failures = 4
    telemetry.addListed(activity)
    let exports = telemetry.collect(activity)
    let spans = try rows(exports, .traces, "span")
    #expect(spans.map { $0[2] } == ["3", "1"])
    #expect(telemetry.statistics.events == 7 && telemetry.statistics.spans == 2)
    #expect(telemetry.statistics.dropped == [.notListed: 5])
    // Failures that no event told of are in the point for all others.
    let failures = try rows(exports, .metrics, "point").first {
      $0[1] == "system.network.tcp.connection.failures"
    }
    #expect(failures.map { [$0[4], $0[7]] } == [#"{"otel.metric.overflow": true}"#, "4"])
    #expect(try rows(telemetry.collect(activity), .traces, "span").isEmpty)
  }

  @Test func `dropped packets are told by reason and place, each once`() throws {
    var telemetry = NetworkTelemetry(testOptions)
    var activity = activity()
    func records(_ packets: UInt64) throws -> [[String]] {
      activity.drops = [
        NetworkDrop(
          reason: "NO_SOCKET", function: "tcp_v4_rcv", etherType: 0x800, packets: packets,
          bytes: 1),
        NetworkDrop(
          reason: "NO_SOCKET", function: nil, etherType: 0x800, packets: 2, bytes: 1),
      ]
      let exports = telemetry.collect(activity)
      let points = try rows(exports, .metrics, "point")
      let total = points.first { $0[1] == "system.network.packet.dropped" }
      #expect(
        total.map { [$0[4], $0[7]] } == [
          #"{"linux.packet.drop.reason": "NO_SOCKET"}"#, String(packets + 2),
        ])
      return try rows(exports, .logs, "record")
    }
    #expect(
      try records(3).map { $0[5] } == [
        "the kernel dropped 3 packets in tcp_v4_rcv: NO_SOCKET",
        "the kernel dropped 2 packets: NO_SOCKET",
      ])
    #expect(try records(3).isEmpty)
    #expect(
      try records(10).map { $0[5] } == ["the kernel dropped 7 packets in tcp_v4_rcv: NO_SOCKET"])
  }

  @Test func `a queue keeps what telemetry is made of, up to its limit`() throws {
    let queue = NetworkEventQueue(limit: 3)
    let listener = queue.listener
    listener([.connected(connection()), .closed(connection())])
    for _ in 0..<2 { listener([.closed(connection()), .closed(connection())]) }
    var telemetry = NetworkTelemetry(testOptions)
    telemetry.addAll(of: queue)
    telemetry.addAll(of: queue)
    #expect(telemetry.statistics.events == 5 && telemetry.statistics.spans == 3)
    #expect(telemetry.statistics.dropped == [.pendingLimit: 2])
  }
}
