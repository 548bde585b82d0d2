import EBPFSystem
import Glibc
import OTLP
import TestSupport
import Testing

@testable import OTLPExporter

/// A file system of so many kilobytes, for as long as the value lives.
final class SmallDisk: Sendable {
  let path: String
  private let directory: TemporaryDirectory

  init(kilobytes: Int) throws {
    directory = try TemporaryDirectory()
    path = directory.file("disk")
    try FileSystem.makeDirectory(path)
    _ = try Command.output(["mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "none", path])
  }

  // The folder is removed afterwards, which a mount would prevent.
  deinit { _ = try? Command.run(["umount", "-l", path]) }
}

@Suite struct FileExporterTests {
  /// Decodes lines of OTLP/JSON by the official package, and prints what tells the items apart.
  private static let decoder = """
    import base64, json, sys
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
    for line in open(sys.argv[1]):
        value = json.loads(line)
        if "resourceLogs" in value:
            request = json_format.ParseDict(value, logs.ExportLogsServiceRequest())
            print(*[l.body.string_value for l in request.resource_logs[0].scope_logs[0].log_records])
        else:
            print(*[s["spanId"] for s in value["resourceSpans"][0]["scopeSpans"][0]["spans"]])
    """

  @Test func `lines of JSON are read by the official decoder`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("out.jsonl")
    let exporter = try FileExporter(.file(path), format: .jsonLines)
    #expect(exporter.export(Samples.logs(0..<3)) == .accepted)
    #expect(exporter.export(Samples.spans(254..<256)) == .accepted)
    // A second exporter goes on where the first was.
    #expect(
      try FileExporter(.file(path), format: .jsonLines).export(Samples.logs(3..<4)) == .accepted)
    #expect(
      try Command.output(["python3", "-c", Self.decoder, path])
        == "0 1 2\n00000000000000fe 00000000000000ff\n3\n")
    #expect(exporter.statistics[.logs]?.sent == 3)
    #expect(exporter.statistics[.traces]?.sent == 2)
  }

  @Test func `protocol buffers have their lengths before them`() throws {
    let directory = try TemporaryDirectory()
    let exporter = try FileExporter(.file(directory.file("out")), format: .protobuf)
    let exports = [Samples.logs(0..<3), Samples.logs(3..<100)]
    for export in exports { exporter.export(export) }
    var rest = try contents(ofFile: directory.file("out"))[...]
    for export in exports {
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      #expect(try Array(rest.dropFirst(4).prefix(length)) == export.protobuf())
      rest = rest.dropFirst(4 + length)
    }
    #expect(rest.isEmpty)
  }

  @Test func `a limit of bytes is kept by whole requests, and the rest counted`() throws {
    let directory = try TemporaryDirectory()
    let exporter = try FileExporter(
      .file(directory.file("out")), format: .protobuf, maximumBytes: 1000)
    for _ in 0..<100 { exporter.export(Samples.logs(0..<10)) }
    let statistics = try #require(exporter.statistics[.logs])
    #expect(statistics.sent > 0)
    #expect(statistics.dropped == [.queueFull: 1000 - statistics.sent])
    #expect(try contents(ofFile: directory.file("out")).count <= 1000)
    #expect(statistics.isBalanced)
  }

  @Test func `a full disk cuts no line in two`() throws {
    let disk = try SmallDisk(kilobytes: 64)
    let path = disk.path + "/out.jsonl"
    let exporter = try FileExporter(.file(path), format: .jsonLines)
    for request in 0..<200 { exporter.export(Samples.logs((request * 10)..<(request * 10 + 10))) }
    let full = try #require(exporter.statistics[.logs])
    #expect(full.sent > 0)
    #expect(full.dropped == [.writeFailed: 2000 - full.sent])
    let lines = try Command.output(["python3", "-c", Self.decoder, path]).split(separator: "\n")
    #expect(lines.count * 10 == full.sent)

    // With room again, it goes on.
    _ = try Command.output(["mount", "-o", "remount,size=128k", disk.path])
    #expect(exporter.export(Samples.logs(5000..<5001)) == .accepted)
    let again = try Command.output(["python3", "-c", Self.decoder, path]).split(separator: "\n")
    #expect(again.count == lines.count + 1)
    #expect(again.last == "5000")
  }

  @Test func `a file that cannot be opened is an error with a remedy`() throws {
    let error = try #require(throws: ExporterError.self) {
      try FileExporter(.file("/nowhere/at/all"), format: .jsonLines)
    }
    #expect(error.code == .file)
    #expect(
      error.message
        == "'/nowhere/at/all' cannot be opened to write: ENOENT (no such file or directory)")
  }
}

@Suite struct FullSpoolTests {
  @Test func `with a full disk requests stay in memory, and nothing is lost`() async throws {
    let disk = try SmallDisk(kilobytes: 64)
    let log = NoticeLog()
    let transport = ScriptedTransport()
    var limits = DeliveryQueue.Limits()
    limits.spoolBytes = 1 << 30
    let spool = try Spool(root: disk.path + "/spool", signal: .traces, maximumFileSize: 1 << 20)
    let pipeline = try DeliveryPipeline(
      signal: .traces, limits: limits, maximumRequestBytes: 1 << 20, transport: transport,
      spool: spool, clock: TestClock(), report: log.report)
    var receipts: Set<Receipt> = []
    for request in 0..<50 {
      receipts.insert(
        pipeline.export(Samples.spans((request * 10)..<(request * 10 + 10), padding: 400)))
    }
    #expect(receipts == [.spooled, .accepted])
    let full = pipeline.statistics
    #expect(full.spoolFailures > 0)
    #expect(full.spooled > 0 && full.queued > 0)
    #expect(full.isBalanced)
    pipeline.drain(for: .seconds(10))
    await pipeline.run()
    #expect(Set(try transport.spans()).count == 500)
    #expect(pipeline.statistics.sent == 500)
    #expect(pipeline.statistics.isBalanced)
    #expect(try spool.entries().isEmpty)
    let notices = await log.all()
    #expect(notices.count == 1, "\(notices)")
    guard case .spoolFailing(let why) = notices.first else {
      Issue.record("\(notices)")
      return
    }
    #expect(why.hasPrefix("ENOSPC"))
  }
}
