#if OTLPExporter
  import Logging
  import OTLP
  import ServiceLifecycle
  import Synchronization
  import TestSupport
  import Testing

  @testable import OTLPExporter

  /// Remembers what is logged.
  struct LogRecorder: LogHandler {
    final class Lines: Sendable {
      private let lines = Mutex<[String]>([])
      let stream: AsyncStream<String>
      private let continuation: AsyncStream<String>.Continuation

      init() { (stream, continuation) = AsyncStream.makeStream() }

      var all: [String] { lines.withLock { $0 } }

      func add(_ line: String) {
        lines.withLock { $0.append(line) }
        continuation.yield(line)
      }
    }

    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.add("\(event.level): \(event.message)") }
  }

  @Suite(.timeLimit(.minutes(2))) struct TelemetryExporterTests {
    private let lines = LogRecorder.Lines()

    private var logger: Logger {
      let lines = lines
      return Logger(label: "test") { _ in LogRecorder(lines: lines) }
    }

    /// Tries again soon; gives up a flush only when the test fails.
    private var options: TelemetryExporter.Options {
      var options = TelemetryExporter.Options()
      options.retry.initialDelay = .milliseconds(5)
      options.retry.maximumDelay = .milliseconds(20)
      options.flushLimit = .seconds(60)
      options.userAgent = "test/1 OTel-OTLP-Exporter-Swift/1"
      return options
    }

    private func exporter(
      _ address: String, _ variables: [String: String] = [:],
      options: TelemetryExporter.Options? = nil
    ) throws -> TelemetryExporter {
      var environment = variables
      environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = address
      return try TelemetryExporter(
        ExporterConfiguration(environment: environment), options: options ?? self.options,
        logger: logger)
    }

    /// Sends all of it, and stops.
    private func send(_ exports: [TelemetryExport], with exporter: TelemetryExporter) async throws {
      for export in exports { #expect(exporter.export(export) == .accepted) }
      exporter.drain()
      try await exporter.run()
      for (signal, statistics) in exporter.statistics {
        #expect(statistics.isBalanced, "\(signal): \(statistics)")
      }
    }

    @Test(arguments: ["http/protobuf", "http/json"], ["none", "gzip"])
    func `the official decoder reads all four signals`(
      encoding: String, compression: String
    ) async throws {
      let receiver = try await Receiver("200")
      let exporter = try exporter(
        receiver.address,
        [
          "OTEL_EXPORTER_OTLP_PROTOCOL": encoding, "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
          "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20x,x-tenant=a%2Cb",
        ])
      try await send(
        [
          Samples.spans(250..<280), Samples.points(5..<8), Samples.logs(0..<4),
          Samples.profile(samples: 3),
        ], with: exporter)
      let requests = try await receiver.finish()
      let found = Dictionary(uniqueKeysWithValues: requests.map { ($0.signal, $0) })
      #expect(found["traces"]?.items == (250..<280).map(Samples.spanID))
      #expect(found["metrics"]?.items == ["requests/5", "requests/6", "requests/7"])
      #expect(found["logs"]?.items == ["0", "1", "2", "3"])
      #expect(
        found["profiles"]?.items
          == ["function 0;main 0", "function 1;main 1", "function 2;main 2"])
      #expect(
        Set(requests.map(\.target))
          == Set(["/v1/traces", "/v1/metrics", "/v1/logs", "/v1development/profiles"]))
      for request in requests {
        #expect(request.method == "POST")
        #expect(
          request.headers["content-type"]
            == (encoding == "http/json" ? "application/json" : "application/x-protobuf"))
        #expect(request.headers["content-encoding"] == (compression == "gzip" ? "gzip" : nil))
        #expect(request.headers["authorization"] == "Bearer x")
        #expect(request.headers["x-tenant"] == "a,b")
        #expect(request.headers["user-agent"] == "test/1 OTel-OTLP-Exporter-Swift/1")
      }
      #expect(exporter.statistics.values.map(\.sent).reduce(0, +) == 40)
      #expect(lines.all.isEmpty)
    }

    @Test(arguments: [
      ("429:retry-after=0 503 502 504 200", 4), ("reset 200", 1), ("garbage 200", 1),
      ("503:retry-after=soon reset 200", 2),
    ])
    func `what fails for a while is tried again until it arrives, once`(
      script: String, failures: Int
    ) async throws {
      let receiver = try await Receiver(script)
      let exporter = try exporter(receiver.address)
      try await send([Samples.spans(0..<5), Samples.spans(5..<10)], with: exporter)
      let requests = try await receiver.finish()
      #expect(requests.filter(\.took).flatMap(\.items) == (0..<10).map(Samples.spanID))
      let statistics = try #require(exporter.statistics[.traces])
      #expect(statistics.sent == 10)
      #expect(statistics.retries == failures)
      #expect(statistics.requests == failures + 2)
      // One line for the failure, one for the recovery, whatever the number of failures.
      #expect(lines.all.count == 2, "\(lines.all)")
      #expect(lines.all.last == "info: sending works again after \(failures) failed attempts")
    }

    @Test(arguments: ["400", "401", "404", "500", "redirect=http://127.0.0.1:1/elsewhere"])
    func `what fails for good is dropped, counted and told once`(script: String) async throws {
      let receiver = try await Receiver(script)
      let exporter = try exporter(receiver.address)
      try await send((0..<10).map { Samples.spans($0..<($0 + 1)) }, with: exporter)
      #expect(try await receiver.finish().count == 10)
      #expect(exporter.statistics[.traces]?.dropped == [.refused: 10])
      #expect(lines.all.count == 1, "\(lines.all)")
      if script.hasPrefix("redirect") {
        #expect(lines.all.first?.contains("redirects to 'http://127.0.0.1:1/elsewhere'") == true)
      }
    }

    @Test func `a receiver that takes less gets parts`() async throws {
      let receiver = try await Receiver("max=7")
      let exporter = try exporter(receiver.address)
      try await send([Samples.spans(0..<100)], with: exporter)
      let requests = try await receiver.finish()
      #expect(requests.filter(\.took).flatMap(\.items) == (0..<100).map(Samples.spanID))
      #expect(exporter.statistics[.traces]?.sent == 100)
    }

    @Test func `no body is larger than the limit, also as JSON`() async throws {
      var options = options
      options.maximumRequestBytes = 10_000
      let receiver = try await Receiver("200")
      let exporter = try exporter(
        receiver.address, ["OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"], options: options)
      try await send([Samples.spans(0..<500)], with: exporter)
      let requests = try await receiver.finish()
      #expect(requests.count > 3)
      #expect(requests.flatMap(\.items) == (0..<500).map(Samples.spanID))
      #expect(requests.allSatisfy { $0.plain <= 10_000 })
    }

    @Test func `spans go in batches of the size the environment says`() async throws {
      let receiver = try await Receiver("200")
      let exporter = try exporter(
        receiver.address, ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "100"])
      try await send([Samples.spans(0..<400), Samples.logs(0..<400)], with: exporter)
      let requests = try await receiver.finish()
      #expect(requests.filter { $0.signal == "traces" }.map(\.items.count) == [100, 100, 100, 100])
      #expect(requests.filter { $0.signal == "logs" }.map(\.items.count) == [400])
    }

    @Test func `what a partial success rejects is counted`() async throws {
      let receiver = try await Receiver("reject=3:too_old reject=0:be_gentle 200")
      let exporter = try exporter(receiver.address)
      try await send((0..<3).map { Samples.spans(($0 * 10)..<($0 * 10 + 10)) }, with: exporter)
      let statistics = try #require(exporter.statistics[.traces])
      #expect(statistics.sent == 27)
      #expect(statistics.rejected == 3)
      #expect(lines.all == ["warning: the receiver rejects 3 items: too_old"])
      _ = try await receiver.finish()
    }

    @Test(arguments: ["html 200", "endless 200", "cut 200"])
    func `a yes that is no OTLP is sent once, counted and told`(script: String) async throws {
      let receiver = try await Receiver(script)
      let exporter = try exporter(receiver.address)
      try await send([Samples.spans(0..<5), Samples.spans(5..<10)], with: exporter)
      #expect(try await receiver.finish().flatMap(\.items) == (0..<10).map(Samples.spanID))
      let statistics = try #require(exporter.statistics[.traces])
      #expect(statistics.sent == 10)
      #expect(statistics.unreadableAnswers == 1)
      #expect(lines.all.count == 1, "\(lines.all)")
    }

    @Test(arguments: ["hang 200", "drip 200"])
    func `an answer that does not come ends with the time limit`(script: String) async throws {
      let receiver = try await Receiver(script)
      let exporter = try exporter(receiver.address, ["OTEL_EXPORTER_OTLP_TIMEOUT": "500"])
      try await send([Samples.spans(0..<5)], with: exporter)
      // A machine that is busy may be late as well: then it arrives more than once.
      let taken = try await receiver.finish().filter(\.took).flatMap(\.items)
      #expect(Set(taken) == Set((0..<5).map(Samples.spanID)))
      let statistics = try #require(exporter.statistics[.traces])
      #expect(statistics.sent == 5)
      #expect(statistics.retries >= 1)
      #expect(lines.all.first?.contains("does not answer within 0.5 seconds") == true)
    }

    @Test func `a receiver that comes back gets everything`() async throws {
      let first = try await Receiver("200")
      let port = first.port
      let exporter = try exporter(first.address)
      async let running: Void = exporter.run()
      #expect(exporter.export(Samples.spans(0..<10)) == .accepted)
      #expect(try await first.next().items.count == 10)
      first.kill()
      #expect(exporter.export(Samples.spans(10..<20)) == .accepted)
      #expect(exporter.export(Samples.spans(20..<30)) == .accepted)
      for await line in lines.stream where line.hasPrefix("warning: sending fails") { break }
      let second = try await Receiver("200", port: port)
      for await line in lines.stream where line.hasPrefix("info: sending works again") { break }
      exporter.drain()
      try await running
      #expect(
        try await second.finish().flatMap(\.items) == (10..<30).map(Samples.spanID))
      #expect(exporter.statistics[.traces]?.sent == 30)
      #expect(exporter.statistics[.traces]?.isBalanced == true)
    }

    @Test func `a graceful shutdown of the service group flushes`() async throws {
      let receiver = try await Receiver("503 503 200")
      let exporter = try exporter(receiver.address)
      let group = ServiceGroup(services: [exporter], logger: logger)
      async let running: Void = group.run()
      #expect(exporter.export(Samples.logs(0..<10)) == .accepted)
      _ = try await receiver.next()
      #expect(exporter.export(Samples.logs(10..<20)) == .accepted)
      await group.triggerGracefulShutdown()
      try await running
      #expect(exporter.statistics[.logs]?.sent == 20)
      #expect(exporter.export(Samples.logs(20..<21)) == .dropped(.notRunning))
    }

    @Test func `a disabled exporter sends nothing and needs no receiver`() async throws {
      let exporter = try exporter("http://127.0.0.1:1", ["OTEL_SDK_DISABLED": "true"])
      #expect(exporter.export(Samples.logs(0..<10)) == .accepted)
      #expect(exporter.statistics.isEmpty)
      let group = ServiceGroup(services: [exporter], logger: logger)
      async let running: Void = group.run()
      await group.triggerGracefulShutdown()
      try await running
    }

    @Test func `values without meaning are told once at the start`() throws {
      _ = try exporter("http://127.0.0.1:1", ["OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"])
      #expect(
        lines.all == [
          "warning: OTEL_EXPORTER_OTLP_COMPRESSION is 'zstd' and not gzip or none; "
            + "the default, none, is kept"
        ])
    }

    @Test func `a proxy of the environment is asked for the way`() async throws {
      let proxy = try await Receiver("200")
      let exporter = try exporter(
        "http://collector.invalid:4318",
        ["HTTP_PROXY": "http://u:p@127.0.0.1:\(proxy.port)"])
      try await send([Samples.logs(0..<3)], with: exporter)
      let requests = try await proxy.finish()
      #expect(requests.map(\.method) == ["CONNECT", "POST"])
      #expect(requests.map(\.target) == ["collector.invalid:4318", "/v1/logs"])
      #expect(requests[0].headers["proxy-authorization"] == "Basic dTpw")
      #expect(requests[1].items == ["0", "1", "2"])
    }

    @Test func `one spool has one owner`() throws {
      let directory = try TemporaryDirectory()
      var options = options
      options.spoolFolder = directory.file("spool")
      let first = try exporter("http://127.0.0.1:1", options: options)
      let error = try #require(throws: ExporterError.self) {
        try exporter("http://127.0.0.1:1", options: options)
      }
      #expect(error.message.hasSuffix("cannot be used: another process uses it"))
      withExtendedLifetime(first) {}
    }
  }
#endif
