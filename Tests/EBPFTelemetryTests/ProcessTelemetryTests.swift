import OTLP
import TestSupport
import Testing

@testable import EBPFTelemetry
@testable import EBPFTracers

@Suite struct ProcessTelemetryTests {
  private func run(
    _ ending: ProcessRun.Ending = .exited(0), path: String = "/usr/bin/tool",
    _ change: (inout ProcessRun) -> Void = { _ in }
  ) -> ProcessRun {
    var run = ProcessRun(
      origin: .executed, process: 7, parent: 5, user: 1000, cgroup: 0, command: "tool",
      processStart: 1_000, start: 2_000, weight: 1)
    run.path = path
    run.arguments = ["tool", "--password", "secret"]
    run.end = 5_000
    run.ending = ending
    change(&run)
    return run
  }

  private func span(_ run: ProcessRun, _ options: TelemetryOptions = testOptions) throws -> [String]
  {
    var telemetry = ProcessTelemetry(options)
    telemetry.add(.ended(run))
    #expect(telemetry.statistics.spans == 1)
    return try #require(try spans(telemetry.collect(ProcessRecording())).first)
  }

  private func spans(_ exports: [TelemetryExport]) throws -> [[String]] {
    guard let export = exports.first(where: { $0.signal == .traces }) else { return [] }
    return try OTLPDecoder.rows("traces", try export.protobuf()).filter { $0[0] == "span" }
  }

  @Test func `a span has what the conventions ask for, and no secrets`() throws {
    let span = try span(run())
    #expect(span[1] == "tool" && span[2] == "1" && span[3] == "0")
    #expect((UInt64(span[5]) ?? 0) - (UInt64(span[4]) ?? 0) == 3_000)
    #expect(
      span[6]
        == #"{"process.command": "tool", "process.executable.name": "tool", "#
        + #""process.executable.path": "/usr/bin/tool", "process.exit.code": 0, "#
        + #""process.parent_pid": 5, "process.pid": 7, "process.real_user.id": 1000}"#)
    var options = testOptions
    options.processSpans.arguments = true
    let told = try self.span(run(), options)
    #expect(told[6].contains(#""process.command_args": ["tool", "--password", "secret"]"#))
  }

  @Test(arguments: [
    (ProcessRun.Ending.exited(3), "3", "exited with status 3"),
    (.killed(signal: 15, dumpsCore: false), "SIGTERM", "killed by SIGTERM"),
    (.killed(signal: 11, dumpsCore: true), "SIGSEGV", "killed by SIGSEGV, core dumped"),
  ])
  func `a failure has its error`(ending: ProcessRun.Ending, type: String, text: String) throws {
    let span = try span(run(ending))
    #expect(span[3] == "2" && span[6].contains(#""error.type": "\#(type)""#))
    var telemetry = ProcessTelemetry(testOptions)
    telemetry.add(.ended(run(ending)))
    guard case .traces(let request) = telemetry.collect(ProcessRecording()).first?.message else {
      Issue.record("no spans")
      return
    }
    #expect(request.resourceSpans[0].scopeSpans[0].spans[0].status.message == text)
  }

  @Test func `only a whole absolute path is one`() throws {
    let relative = try span(run(path: "./there/tool"))
    #expect(!relative[6].contains("executable.path") && relative[1] == "tool")
    let cut = try span(run { $0.pathIsCut = true })
    #expect(!cut[6].contains("executable.path"))
    let unknown = try span(
      run(path: "") {
        $0.origin = .existing
        $0.arguments = []
        $0.weight = 4
      })
    #expect(unknown[6].contains(#""ebpf.process.origin": "existing""#))
    #expect(unknown[6].contains(#""ebpf.sample.weight": 4"#) && !unknown[6].contains("command"))
  }

  @Test func `long texts are cut and counted, and what waits has its limit`() throws {
    var options = testOptions
    options.processSpans.arguments = true
    options.attributeLengthLimit = 4
    options.pendingLimit = 3
    var telemetry = ProcessTelemetry(options)
    for _ in 0..<5 { telemetry.add(.ended(run())) }
    telemetry.add(.began(run()))
    telemetry.add(.ended(run { $0.origin = .forked }))
    #expect(telemetry.statistics.events == 6 && telemetry.statistics.spans == 3)
    #expect(telemetry.statistics.unwanted == 1)
    #expect(telemetry.statistics.dropped == [.pendingLimit: 2])
    // The path and two arguments of each.
    #expect(telemetry.statistics.truncated == 3 * 3)
    let spans = try spans(telemetry.collect(ProcessRecording()))
    #expect(spans.count == 3)
    #expect(spans.allSatisfy { $0[6].contains(#"["tool", "--pa", "secr"]"#) })
    #expect(try self.spans(telemetry.collect(ProcessRecording())).isEmpty)
  }

  @Test func `what a tracer lost is told in the log, once`() throws {
    var telemetry = ProcessTelemetry(testOptions)
    var recording = ProcessRecording()
    recording.statistics.dropped = 5
    #expect(telemetry.collect(recording).map(\.signal) == [.logs])
    #expect(telemetry.collect(recording).isEmpty)
    telemetry.beginAnew()
    #expect(telemetry.collect(recording).map(\.signal) == [.logs])
  }
}
