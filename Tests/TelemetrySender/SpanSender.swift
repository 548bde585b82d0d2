#if OTLPExporter
  import Dispatch
  import Glibc
  import Logging
  import OTLP
  import OTLPExporter

  /// Exports very many spans as they come from a tracer: with times, ids, a kind and attributes.
  struct SpanSender {
    /// Spans in one request: what the exporter sends at once by default.
    private static let batch = 512
    private let exporter: TelemetryExporter

    init() throws {
      var options = TelemetryExporter.Options()
      options.flushLimit = .seconds(60)
      exporter = try TelemetryExporter(
        ExporterConfiguration(environment: TelemetrySender.variables()), options: options,
        logger: Logger(label: "sender") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Exports the spans 0 ..< `count`.
    func send(_ count: Int, mark: Int) throws {
      let done = DispatchSemaphore(value: 0)
      let exporter = exporter
      Task.detached {
        do { try await exporter.run() } catch { TelemetrySender.say("error \(error)") }
        done.signal()
      }
      var next = 0
      while next < count {
        let end = min(next + Self.batch, count, next < mark ? mark : .max)
        waitForRoom(end - next)
        exporter.export(Self.spans(next..<end))
        next = end
        if next == mark {
          waitForRoom(.max)
          report(next)
        }
      }
      waitForRoom(.max)
      report(next)
      exporter.drain()
      done.wait()
      if let traces = exporter.statistics[.traces] {
        TelemetrySender.say(TelemetrySender.account(traces))
      }
    }

    /// Waits until so many spans fit into the queue, or, for the largest number, until it is empty.
    private func waitForRoom(_ count: Int) {
      // What the exporter's queue has room for by default.
      let limit = count == .max ? 0 : 2048 - count
      while let traces = exporter.statistics[.traces], traces.queued > limit { usleep(200) }
    }

    /// Resident memory and CPU time of this process.
    private func report(_ count: Int) {
      var time = timespec()
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
      let microseconds = time.tv_sec * 1_000_000 + time.tv_nsec / 1000
      TelemetrySender.say(
        "spans \(count) resident \(Self.residentKilobytes()) cpu \(microseconds)")
    }

    /// `VmRSS` of /proc/self/status.
    private static func residentKilobytes() -> Int {
      guard let file = fopen("/proc/self/status", "r") else { return 0 }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 256)
      while fgets(&line, 256, file) != nil {
        let text = String(
          decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard text.hasPrefix("VmRSS:") else { continue }
        return Int(text.filter(\.isNumber)) ?? 0
      }
      return 0
    }

    private static func spans(_ ids: Range<Int>) -> TelemetryExport {
      var resource = ResourceSpans()
      resource.resource.attributes = [attribute("service.name", "load")]
      var scope = ScopeSpans()
      scope.spans = ids.map(span)
      resource.scopeSpans = [scope]
      var request = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest()
      request.resourceSpans = [resource]
      return TelemetryExport(.traces(request))
    }

    private typealias ResourceSpans = Opentelemetry_Proto_Trace_V1_ResourceSpans
    private typealias ScopeSpans = Opentelemetry_Proto_Trace_V1_ScopeSpans

    private static func span(_ id: Int) -> Opentelemetry_Proto_Trace_V1_Span {
      var span = Opentelemetry_Proto_Trace_V1_Span()
      let bytes = (0..<8).reversed().map { UInt8(truncatingIfNeeded: id >> (8 * $0)) }
      span.traceID = .init(bytes + bytes)
      span.spanID = .init(bytes)
      span.name = "GET"
      span.kind = .client
      span.startTimeUnixNano = 1_700_000_000_000_000_000 + UInt64(id) * 1000
      span.endTimeUnixNano = span.startTimeUnixNano + 1000
      span.attributes = [
        attribute("network.peer.address", "10.0.0.1"), attribute("network.transport", "tcp"),
        attribute("process.executable.name", "shop"),
      ]
      return span
    }

    private static func attribute(
      _ key: String, _ value: String
    ) -> Opentelemetry_Proto_Common_V1_KeyValue {
      var pair = Opentelemetry_Proto_Common_V1_KeyValue()
      pair.key = key
      pair.value.stringValue = value
      return pair
    }
  }
#endif
