import EBPFTracers
import OTLP
import TestSupport
import Testing

@testable import EBPFTelemetry

@Suite struct AgentTelemetryTests {
  @Test func `tracers, programs and exporters have their metrics, about this process`() throws {
    var options = TelemetryOptions(
      resource: Resource([Attribute("service.name", "s"), Attribute("process.pid", 1)]),
      version: "1")
    options.containers = nil
    var telemetry = AgentTelemetry(options, start: 100)
    var statistics = TracerStatistics()
    statistics.recorded = 5
    statistics.dropped = 6
    var conversion = ConversionStatistics()
    conversion.spans = 3
    conversion.drop(.pendingLimit, 2)
    let program = BPFProgramFigures(
      id: 9, name: "syscall_enter", type: "tracing", loadTime: 50, runCount: 10,
      runNanoseconds: 1_500_000_000)
    var exporter = ExporterFigures(
      name: "otlp_http_exporter/0", type: "otlp_http_exporter", signal: .traces)
    exporter.exported = 20
    exporter.failed = ["timeout": 4]
    exporter.queued = 1
    exporter.queueCapacity = 2048
    let exports = telemetry.collect(
      tracers: [
        AgentTelemetry.TracerFigures(
          name: "network", statistics: statistics, conversion: conversion)
      ], programs: [program], exporters: [exporter], at: 200)
    #expect(exports.map(\.itemCount) == [11])
    let rows = try OTLPDecoder.rows("metrics", try exports[0].protobuf())
    #expect(rows[0][1] == #"{"process.pid": 1, "service.name": "s"}"#)
    let own =
      #""otel.component.name": "otlp_http_exporter/0", "#
      + #""otel.component.type": "otlp_http_exporter""#
    let bpf =
      #"{"bpf.program.id": 9, "bpf.program.name": "syscall_enter", "#
      + #""bpf.program.type": "tracing"}"#
    func events(_ outcome: String) -> String {
      #"{"ebpf.outcome": "\#(outcome)", "ebpf.tracer.name": "network"}"#
    }
    #expect(
      rows.dropFirst().map { Array($0[1...]) } == [
        ["ebpf.tracer.events", "{event}", "counter", events("recorded"), "100", "200", "5"],
        ["ebpf.tracer.events", "{event}", "counter", events("dropped"), "100", "200", "6"],
        ["ebpf.tracer.events", "{event}", "counter", events("unwanted"), "100", "200", "0"],
        ["ebpf.telemetry.items", "{item}", "counter", events("converted"), "100", "200", "3"],
        ["ebpf.telemetry.items", "{item}", "counter", events("pending_limit"), "100", "200", "2"],
        // A program counts since it was loaded.
        ["bpf.program.runs", "{run}", "counter", bpf, "50", "200", "10"],
        ["bpf.program.run.time", "s", "counter", bpf, "50", "200", "1.5"],
        ["otel.sdk.exporter.span.exported", "{span}", "counter", "{\(own)}", "100", "200", "20"],
        [
          "otel.sdk.exporter.span.exported", "{span}", "counter",
          #"{"error.type": "timeout", \#(own)}"#, "100", "200", "4",
        ],
        ["otel.sdk.processor.span.queue.size", "{span}", "updown", "{\(own)}", "100", "200", "1"],
        [
          "otel.sdk.processor.span.queue.capacity", "{span}", "updown", "{\(own)}", "100", "200",
          "2048",
        ],
      ])
  }

  @Test func `without figures there is nothing to send`() {
    var telemetry = AgentTelemetry(testOptions)
    #expect(telemetry.collect().isEmpty)
  }
}
