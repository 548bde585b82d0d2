import EBPF
import EBPFSystem
import EBPFTelemetry
import EBPFTracers
import Glibc
import OTLP
import TestSupport
import Testing

/// Capability 31: programs as spans, as OpenTelemetry's own messages read them.
@Suite(.serialized) struct TelemetryProcessTests {
  private struct Span {
    let name: String
    let isFailed: Bool
    let start: UInt64
    let end: UInt64
    let attributes: String

    /// Kind 1 is internal, status 2 an error.
    init(_ row: [String]) throws {
      #expect(row[2] == "1" && (row[3] == "0" || row[3] == "2"))
      name = row[1]
      isFailed = row[3] == "2"
      start = try #require(UInt64(row[4]))
      end = try #require(UInt64(row[5]))
      attributes = row[6]
    }
  }

  private func spans(
    _ rule: ProcessSpanRule, rounds: Int
  ) throws -> (spans: [Span], children: [KnownChildren.Child], statistics: ConversionStatistics) {
    let folder = try TemporaryDirectory()
    let file = folder.file("children")
    let parent = try StoppedProcess(workload: "processes", [file, String(rounds)])
    var configuration = ProcessTracerConfiguration()
    configuration.filter.follow(parent.id)
    var options = LiveTelemetry.options
    options.processSpans = rule
    let tracer = ProcessTracer(configuration)
    var telemetry = ProcessTelemetry(options)
    try tracer.start()
    #expect(try parent.finish() == 0)
    let recording = try tracer.stop()
    for event in recording.unreadEvents { telemetry.add(event) }
    let rows = try LiveTelemetry.rows(telemetry.collect(recording), .traces, "span")
    return (
      try rows.map(Span.init), try KnownChildren(file: file).children, telemetry.statistics
    )
  }

  @Test func `Capability 31: each program is a span with its process, its end and its error`()
    throws
  {
    let (spans, children, statistics) = try spans(ProcessSpanRule(), rounds: 10)
    // Eight of nine runs: not the copy that executes nothing; and the parent.
    #expect(spans.count == 81 && statistics.spans == 81)
    #expect(statistics.events == 91 && statistics.unwanted == 10 && statistics.dropped.isEmpty)
    let offset = Clock.monotonic.wallOffset
    for child in children where child.kind != "copy" {
      let own = spans.filter { $0.attributes.contains(#""process.pid": \#(child.process),"#) }
      let span = try #require(own.last)
      #expect(own.count == (child.kind == "twice" ? 2 : 1))
      #expect(own.allSatisfy { $0.name == "processes" && !$0.attributes.contains("command_args") })
      for text in [
        #""process.command": "processes""#, #""process.executable.name": "processes""#,
        #""process.executable.path": "/"#, #""process.parent_pid": "#,
        #""process.real_user.id": "#,
      ] {
        #expect(span.attributes.contains(text), "\(span.attributes)")
      }
      switch child.ending {
      case .exited(let status):
        #expect(span.isFailed == (status != 0))
        #expect(span.attributes.contains(#""process.exit.code": \#(status),"#))
        #expect(span.attributes.contains(#""error.type": "\#(status)""#) == (status != 0))
      case .killed, .replaced:
        #expect(span.isFailed && span.attributes.contains(#""error.type": "SIGKILL""#))
        #expect(!span.attributes.contains("process.exit.code"))
      }
      // The wall clock may be slewed between two readings of its distance.
      let margin: UInt64 = 10_000_000
      let before = child.before &+ UInt64(bitPattern: offset) - margin
      let after = child.after &+ UInt64(bitPattern: offset) + margin
      #expect(before <= own[0].start && span.end <= after)
      if child.kind == "twice" {
        #expect(own[0].end == own[1].start && !own[0].isFailed)
        #expect(own[0].attributes.contains(#""ebpf.process.replaced": true"#))
      }
    }
    let existing = spans.filter { $0.attributes.contains(#""ebpf.process.origin": "existing""#) }
    #expect(existing.count == 1 && existing.allSatisfy { !$0.isFailed })
  }

  @Test func `Capability 31: arguments, and copies that execute nothing, are told where wanted`()
    throws
  {
    var rule = ProcessSpanRule()
    rule.arguments = true
    rule.forks = true
    let (spans, children, statistics) = try spans(rule, rounds: 2)
    #expect(spans.count == 2 * 9 + 1 && statistics.unwanted == 0)
    for kind in ["exit0", "exit3", "kill", "twice", "threads", "leader"] {
      let arguments = #""process.command_args": ["processes", "run", "\#(kind)"]"#
      #expect(spans.count { $0.attributes.contains(arguments) } == 2, "\(kind)")
    }
    let copies = children.filter { $0.kind == "copy" }.map(\.process)
    let forked = spans.filter { $0.attributes.contains(#""ebpf.process.origin": "forked""#) }
    #expect(forked.count == 2 && copies.count == 2)
    for process in copies {
      #expect(
        forked.contains {
          $0.isFailed && $0.attributes.contains(#""process.pid": \#(process),"#)
            && $0.attributes.contains(#""process.exit.code": 4,"#)
        })
    }
  }

  @Test func `programs of a container are spans with its id, also when it is gone`() throws {
    let container = try Container("/processes /children 1 & wait", workloads: ["processes"])
    let process = try #require(try container.stopped(["processes"])["processes"])
    var filter = TracerFilter()
    try filter.addContainer(container.id)
    var configuration = ProcessTracerConfiguration()
    configuration.filter = filter
    var telemetry = ProcessTelemetry(LiveTelemetry.options)
    let tracer = ProcessTracer(configuration)
    try tracer.start()
    LiveTelemetry.options.containers?.refresh()
    kill(process, SIGCONT)
    try container.waitForEnd(of: process)
    let recording = try tracer.stop()
    for event in recording.unreadEvents { telemetry.add(event) }
    let rows = try LiveTelemetry.rows(telemetry.collect(recording), .traces, "span")
    let programs = rows.filter { $0[1] == "processes" && !$0[6].contains("existing") }
    #expect(programs.count == 8)
    #expect(
      programs.allSatisfy { $0[6].contains(#""container.id": "\#(container.id)""#) }, "\(programs)")
  }
}
