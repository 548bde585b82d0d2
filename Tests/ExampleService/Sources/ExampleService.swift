import Glibc
import Hummingbird
import Logging
import OTLPExporter
import Tracing

/// A web service that watches itself: `/flamegraph` shows where its time goes, `/metrics` which system
/// calls it makes, and both go to OpenTelemetry as the variables `OTEL_EXPORTER_OTLP_…` say. So do the
/// spans of its requests, with which the samples of profiles are linked.
///
/// usage: example-service [PORT]
@main struct ExampleService {
  static func main() async throws {
    let logger = Logger(label: "example-service")
    let settings = try ExporterConfiguration.fromEnvironment()
    let exporter = try TelemetryExporter(settings, logger: logger)
    let observation = Observation(exporter, every: settings.metricInterval, logger: logger)

    InstrumentationSystem.bootstrap(RequestTracer { observation.export($0) })

    let router = Router()
    router.addMiddleware {
      TracingMiddleware()
      PublishingMiddleware()
    }
    router.get("primes/:limit") { _, context in
      "\(primes(below: try context.parameters.require("limit", as: Int.self)).count)\n"
    }
    router.get("parent") { _, _ in "the process \(getppid()) started this one\n" }
    router.get("flamegraph") { _, _ in
      Page(type: "text/html; charset=utf-8", content: try observation.flameGraph())
    }
    router.get("metrics") { _, _ in
      Page(type: PrometheusText.contentType, content: Array(try observation.metrics().utf8))
    }

    let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8080
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
      // Those that come later end earlier: what was seen last is sent before the exporter ends.
      services: [exporter, observation], logger: logger)
    // Before the first request is there.
    try observation.start()
    try await application.runService()
  }

  /// Something that takes time.
  private static func primes(below limit: Int) -> [Int] {
    (2..<max(2, min(limit, 1_000_000))).filter { number in
      !sequence(first: 2, next: { $0 + 1 }).prefix { $0 * $0 <= number }
        .contains { number.isMultiple(of: $0) }
    }
  }
}

/// Bytes and what they are.
struct Page: ResponseGenerator {
  let type: String
  let content: [UInt8]

  func response(from request: Request, context: some RequestContext) -> Response {
    Response(
      status: .ok, headers: [.contentType: type],
      body: .init(byteBuffer: ByteBuffer(bytes: content)))
  }
}
