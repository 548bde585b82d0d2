import EBPFObject
import OTLP
import TestSupport
import Testing

@testable import EBPFTelemetry
@testable import EBPFTracers

@Suite struct SyscallTelemetryTests {
  /// An event as the kernel sends it.
  private func event(
    result: Int64 = 0, nanoseconds: UInt64 = 1, weight: UInt32 = 1, call: UInt32 = 39
  ) throws -> SyscallEvent {
    typealias Layout = SyscallEventLayout
    var record = [UInt8](repeating: 0, count: Layout.first)
    func set(_ value: some FixedWidthInteger, at offset: Int) {
      for index in 0..<(value.bitWidth / 8) {
        record[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
      }
    }
    set(UInt64(1_000), at: Layout.entered)
    set(nanoseconds, at: Layout.duration)
    set(result, at: Layout.result)
    set(UInt32(7), at: Layout.tgid)
    set(call, at: Layout.call)
    set(UInt32(1), at: Layout.flags)
    set(weight, at: Layout.weight)
    let event = SyscallEvent(record: record.span.bytes)
    return try #require(event)
  }

  private func rows(
    _ exports: [TelemetryExport], _ signal: TelemetrySignal, _ kind: String
  ) throws -> [[String]] {
    guard let export = exports.first(where: { $0.signal == signal }) else { return [] }
    return try OTLPDecoder.rows(signal.rawValue, try export.protobuf()).filter { $0[0] == kind }
  }

  private func summary(_ processes: Range<Int32>, count: UInt64, seen: UInt64) -> SyscallSummary {
    var summary = SyscallSummary()
    summary.statistics.seen = seen
    summary.matrix = processes.map { process in
      SyscallCount(
        owner: .process(id: process, start: 0, command: "p\(process)"),
        call: Syscall(number: 39), outcome: .success, count: count, totalNanoseconds: 0)
    }
    return summary
  }

  @Test func `a tracer that is started again has sums of its own, even when they are larger`()
    throws
  {
    var telemetry = SyscallTelemetry(testOptions, start: 100)
    func point(_ count: UInt64, at now: UInt64) throws -> [String] {
      let exports = telemetry.collect(summary(1..<2, count: count, seen: count), at: now)
      let row = try rows(exports, .metrics, "point").first {
        $0[1] == "process.linux.syscall.count"
      }
      return try Array(#require(row)[5...7])
    }
    #expect(try point(5, at: 200) == ["100", "200", "5"])
    telemetry.beginAnew()
    #expect(try point(7, at: 300) == ["200", "300", "7"])
    #expect(try point(9, at: 400) == ["200", "400", "9"])
    // Nobody said so, but it shows.
    #expect(try point(2, at: 500) == ["400", "500", "2"])
  }

  @Test func `losses of a tracer that is started again are all told`() throws {
    var telemetry = SyscallTelemetry(testOptions)
    func told(dropped: UInt64) throws -> [String] {
      var summary = summary(1..<2, count: 1, seen: 10)
      summary.statistics.dropped = dropped
      return try rows(telemetry.collect(summary), .logs, "record").map { $0[6] }
    }
    #expect(try told(dropped: 8).map { $0.contains(#""ebpf.tracer.dropped": 8"#) } == [true])
    telemetry.beginAnew()
    #expect(try told(dropped: 3).map { $0.contains(#""ebpf.tracer.dropped": 3"#) } == [true])
    #expect(try told(dropped: 3).isEmpty)
  }

  @Test func `a slow call is a span, a failing one has its error, others are counted`() throws {
    var telemetry = SyscallTelemetry(testOptions)
    telemetry.add(try event())
    telemetry.add(try event(nanoseconds: 10_000_000, weight: 64))
    telemetry.add(try event(result: -13))
    let exports = telemetry.collect(SyscallSummary())
    let spans = try rows(exports, .traces, "span")
    #expect(spans.count == 2)
    #expect(spans[0][3] == "0" && spans[0][6].contains(#""ebpf.sample.weight": 64"#))
    #expect((UInt64(spans[0][5]) ?? 0) - (UInt64(spans[0][4]) ?? 0) == 10_000_000)
    #expect(spans[1][3] == "2" && spans[1][6].contains(#""error.type": "EACCES""#))
    let statistics = telemetry.statistics
    #expect(statistics.events == 3 && statistics.spans == 2 && statistics.unwanted == 1)
  }

  @Test func `what waits too long for a collection is dropped and counted`() throws {
    var options = testOptions
    options.pendingLimit = 10
    var telemetry = SyscallTelemetry(options)
    for _ in 0..<25 { telemetry.add(try event(result: -2)) }
    #expect(try rows(telemetry.collect(SyscallSummary()), .traces, "span").count == 10)
    telemetry.add(try event(result: -2))
    #expect(try rows(telemetry.collect(SyscallSummary()), .traces, "span").count == 1)
    let statistics = telemetry.statistics
    #expect(statistics.events == 26 && statistics.spans == 11)
    #expect(statistics.dropped == [.pendingLimit: 15])
  }

  @Test func `beyond the limit there is one point for all others, and who was first stays`() throws
  {
    var options = testOptions
    options.cardinalityLimit = 10
    var telemetry = SyscallTelemetry(options, start: 1)
    func points(_ summary: SyscallSummary) throws -> [String: Int] {
      let rows = try rows(telemetry.collect(summary), .metrics, "point")
      return Dictionary(uniqueKeysWithValues: rows.map { ($0[4], Int($0[7]) ?? -1) })
    }
    let overflow = #"{"otel.metric.overflow": true}"#
    let first = try points(summary(0..<9, count: 5, seen: 45))
    #expect(first.count == 9 && first[overflow] == nil)
    let second = try points(summary(0..<1000, count: 7, seen: 7000))
    #expect(second.count == 10 && second[overflow] == 991 * 7)
    #expect(Set(second.keys).subtracting([overflow]) == Set(first.keys))
    #expect(second.values.reduce(0, +) == 7000)
    #expect(telemetry.statistics.overflowed == 991)
    var lost = summary(0..<1, count: 1, seen: 8000)
    lost.losses.keys = 3
    #expect(try points(lost)[overflow] == 3)
  }

  @Test func `a tracer that was started again counts from the last collection on`() throws {
    var telemetry = SyscallTelemetry(testOptions, start: 100)
    func times(_ seen: UInt64, at now: UInt64) throws -> [String] {
      let points = try rows(
        telemetry.collect(summary(0..<1, count: seen, seen: seen), at: now), .metrics, "point")
      return Array(try #require(points.first)[5...7])
    }
    #expect(try times(10, at: 200) == ["100", "200", "10"])
    #expect(try times(10, at: 300) == ["100", "300", "10"])
    #expect(try times(20, at: 400) == ["100", "400", "20"])
    #expect(try times(5, at: 500) == ["400", "500", "5"])
    #expect(try times(6, at: 600) == ["400", "600", "6"])
  }

  @Test func `a kernel's histogram keeps its number, sum and maximum`() {
    var totals = SyscallTotals(Syscall(number: 0))
    var expected: UInt64 = 0
    for power in UInt64(0)..<40 {
      for part in UInt64(4)..<8 {
        let value = (UInt64(1) << power) * part / 4
        totals.histogram.add(1, bucket: SyscallHistogram.bucket(value))
        totals.returns += 1
        totals.totalNanoseconds += value
        totals.maximumNanoseconds = max(totals.maximumNanoseconds, value)
        expected += 1
      }
    }
    let histogram = ExponentialHistogram(totals)
    #expect(histogram.count == expected && histogram.scale == 2)
    #expect(histogram.sum == Double(totals.totalNanoseconds) / 1e9)
    #expect(histogram.maximum == Double(totals.maximumNanoseconds) / 1e9)
    #expect(histogram.zeroCount == totals.histogram.counts[0])
    // No bucket of the kernel's is further than one from where its values belong.
    for bucket in 1..<(SyscallHistogram.bucketCount - 1) {
      var one = SyscallTotals(Syscall(number: 0))
      one.histogram.add(1, bucket: bucket)
      let placed = ExponentialHistogram(one).buckets.keys.first ?? .max
      let bounds = SyscallHistogram.bounds(bucket)
      for value in [bounds.lowerBound, bounds.upperBound - 1] {
        let own = ExponentialHistogram.bucket(of: Double(value) / 1e9, scale: 2)
        #expect(abs(placed - own) <= 1, "\(bucket): \(value)")
      }
    }
  }

  @Test func `a loss is told in the log, once`() throws {
    var telemetry = SyscallTelemetry(testOptions)
    var summary = SyscallSummary()
    summary.statistics.dropped = 12
    let records = try rows(telemetry.collect(summary), .logs, "record")
    #expect(
      records.map { $0[5] } == [
        "the tracer 'syscalls' has lost 12 events: a map or a buffer was full"
      ])
    #expect(try rows(telemetry.collect(summary), .logs, "record").isEmpty)
    summary.statistics.dropped = 13
    #expect(try rows(telemetry.collect(summary), .logs, "record").count == 1)
  }

  @Test func `a text is cut between characters`() {
    #expect(AttributeList.cut("日本", to: 6) == "日本")
    #expect(AttributeList.cut("日本", to: 5) == "日")
    #expect(AttributeList.cut("日本", to: 2) == "")
    var list = AttributeList(limit: 3)
    list.add("a", "abcd")
    list.add("b", "abc")
    list.add("c", nil as String?)
    #expect(list.attributes == [Attribute("a", "abc"), Attribute("b", "abc")])
    #expect(list.truncated == 1)
  }
}

/// A resource of little, and no look at this machine's containers.
let testOptions: TelemetryOptions = {
  var options = TelemetryOptions(
    resource: Resource([Attribute("host.name", "h")]), version: "1")
  options.containers = nil
  return options
}()
