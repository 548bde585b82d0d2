import OTLP
import TestSupport
import Testing

/// Requests as OpenTelemetry's own messages read them, from protocol buffers and from JSON.
@Suite struct TelemetryExportTests {
  private let resource = Resource([Attribute("service.name", "tests")])
  private let scope = Scope(name: "scope", version: "1", schemaURL: "https://example.org/1")

  /// The rows of both forms, which must be the same.
  private func rows(_ export: TelemetryExport) throws -> [[String]] {
    let rows = try OTLPDecoder.rows(export.signal.rawValue, try export.protobuf())
    #expect(
      try OTLPDecoder.rows(export.signal.rawValue, try export.json(), isJSON: true) == rows)
    return rows
  }

  private func span(
    _ name: String, _ attributes: [Attribute] = [], failure: String? = nil
  ) throws -> SpanData {
    SpanData(
      traceID: try #require(TraceID(high: 1, low: 2)), spanID: try #require(SpanID(3)),
      parentID: SpanID(4), name: name, kind: .client, start: 10, end: 20, attributes: attributes,
      failure: failure)
  }

  @Test func `a signal is where the specification puts it`() {
    #expect(
      TelemetrySignal.allCases.map(\.path) == [
        "v1/traces", "v1/metrics", "v1/logs", "v1development/profiles",
      ])
  }

  @Test func `identifiers are hexadecimal in JSON, and numbers where the specification says so`()
    throws
  {
    let export = TelemetryExport(
      [try span("s", [Attribute("count", 7)], failure: "no")], resource: resource, scope: scope)
    #expect(
      String(decoding: try export.json(), as: UTF8.self) == #"""
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":\#
        "tests"}}]},"scopeSpans":[{"scope":{"name":"scope","version":"1"},"spans":[{"traceId":\#
        "00000000000000010000000000000002","spanId":"0000000000000003","parentSpanId":\#
        "0000000000000004","name":"s","kind":3,"startTimeUnixNano":"10","endTimeUnixNano":"20",\#
        "attributes":[{"key":"count","value":{"intValue":"7"}}],"status":{"message":"no","code":2}\#
        }],"schemaUrl":"https://example.org/1"}]}]}
        """#)
    #expect(export.itemCount == 1)
  }

  @Test func `words that look like JSON or like identifiers stay as they are`() throws {
    let texts = [
      #""traceId":"AAAA""#, "traceId", #"\"#, #"a\"b"#, "{\"spanId\":1}", "日本 🔥", "line\nend", "",
    ]
    let attributes =
      texts.enumerated().map { Attribute("k\($0.offset)", $0.element) }
      + [Attribute("traceId", "spanId")]
    let export = TelemetryExport(
      [try span("profileId", attributes)], resource: resource, scope: scope)
    let row = try #require(try rows(export).first { $0[0] == "span" })
    #expect(row[1] == "profileId")
    #expect(row[6].contains(#""k0": "\"traceId\":\"AAAA\"""#), "\(row[6])")
    #expect(row[6].contains(#""traceId": "spanId""#))
    #expect(row[6].contains(#""k2": "\\""#) && row[6].contains(#""k5": "日本 🔥""#))
  }

  @Test func `every kind of attribute arrives`() throws {
    let attributes = [
      Attribute("text", "a"), Attribute("yes", .boolean(true)), Attribute("most", Int64.max),
      Attribute("clamped", UInt64.max), Attribute("half", .double(0.5)),
      Attribute("list", .strings(["a", "b"])),
    ]
    let row = try #require(
      try rows(TelemetryExport([try span("s", attributes)], resource: resource, scope: scope))
        .first { $0[0] == "span" })
    #expect(
      row[6] == #"{"clamped": 9223372036854775807, "half": 0.5, "list": ["a", "b"], "#
        + #""most": 9223372036854775807, "text": "a", "yes": true}"#)
  }

  @Test func `log records have their time and severity`() throws {
    let record = LogData(
      time: 5, observedTime: 6, severity: .error, eventName: "event", body: "it went wrong",
      attributes: [Attribute("a", 1)])
    let export = TelemetryExport([record], resource: resource, scope: scope)
    #expect(
      try rows(export) == [
        ["resource", #"{"service.name": "tests"}"#],
        ["record", "event", "17", "ERROR", "5", "it went wrong", #"{"a": 1}"#],
      ])
    #expect(export.itemCount == 1)
  }

  @Test func `sums and gauges have their times, and a batch of nothing is no request`() throws {
    var metrics = MetricBatch(start: 100, time: 200)
    metrics.add(MetricDescriptor("none", unit: "1", "none"), .counter, [])
    #expect(metrics.export(resource: resource, scope: scope).map(\.itemCount) == nil)
    metrics.add(
      MetricDescriptor("sum", unit: "By", "a sum"), .counter,
      [NumberPoint([Attribute("a", 1)], 5), NumberPoint([Attribute("a", 2)], .double(0.5))])
    metrics.add(MetricDescriptor("level", unit: "By", "a level"), .upDown, [NumberPoint([], -3)])
    metrics.add(gauge: MetricDescriptor("now", unit: "1", "a gauge"), [NumberPoint([], 4)])
    let export = try #require(metrics.export(resource: resource, scope: scope))
    #expect(
      try rows(export).dropFirst() == [
        ["point", "sum", "By", "counter", #"{"a": 1}"#, "100", "200", "5"],
        ["point", "sum", "By", "counter", #"{"a": 2}"#, "100", "200", "0.5"],
        ["point", "level", "By", "updown", "{}", "100", "200", "-3"],
        ["point", "now", "1", "gauge", "{}", "0", "200", "4"],
      ])
    #expect(export.itemCount == 4)
  }

  @Test func `a resource has each key once, and the last word counts`() {
    var resource = Resource([Attribute("a", "1"), Attribute("b", "2"), Attribute("a", "3")])
    #expect(resource.attributes == [Attribute("a", "3"), Attribute("b", "2")])
    resource = resource.merging([Attribute("b", "4"), Attribute("c", "5")])
    resource["a"] = nil
    #expect(resource.attributes == [Attribute("b", "4"), Attribute("c", "5")])
  }
}
