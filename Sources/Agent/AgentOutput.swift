#if OTLPExporter
  internal import AgentConfiguration
  internal import EBPFTelemetry
  internal import Logging
  internal import OTLP
  internal import OTLPExporter
  internal import Synchronization

  /// Where the telemetry of one configuration goes.
  final class AgentOutput: Sendable {
    /// Sends to receivers and to standard output.
    private let exporter: TelemetryExporter
    private let sending: Task<Void, Never>
    private let file: FileExporter?
    private let metrics: LatestMetrics

    init(
      _ configuration: AgentConfiguration, _ settings: ExporterConfiguration, version: String,
      metrics: LatestMetrics, logger: Logger
    ) throws(ExporterError) {
      var options = TelemetryExporter.Options()
      if let bytes = configuration.queueBytes { options.queueBytes = Int(bytes) }
      if let spool = configuration.spool {
        options.spoolFolder = spool.path
        options.spoolBytes = Int(spool.bytes)
      }
      options.userAgent = "ebpf/\(version) OTel-OTLP-Exporter-Swift/\(version)"
      exporter = try TelemetryExporter(settings, options: options, logger: logger)
      file =
        if let output = configuration.output {
          try FileExporter(
            output.path == "-" ? .standardOutput : .file(output.path),
            format: output.format == .json ? .jsonLines : .protobuf)
        } else { nil }
      self.metrics = metrics
      // Outside of what a graceful shutdown reaches: the last telemetry comes after it.
      sending = Task.detached { [exporter] in
        // Where nothing is to be sent, nothing would end it.
        guard !exporter.statistics.isEmpty else { return }
        do { try await exporter.run() } catch { logger.error("sending ended: \(error)") }
      }
    }

    /// Hands telemetry over; never waits for the network.
    func write(_ results: [(source: String, exports: [TelemetryExport])]) {
      for (source, exports) in results {
        for export in exports {
          exporter.export(export)
          file?.export(export)
          if case .metrics(let request) = export.message { metrics.set(request, of: source) }
        }
      }
    }

    /// Sends what waits and ends, within the exporter's limit.
    func finish() async {
      exporter.drain()
      await sending.value
    }

    /// What became of everything so far.
    var figures: [ExporterFigures] {
      AgentOutput.figures(exporter.statistics, type: "otlp_http_exporter")
        + AgentOutput.figures(exporter.consoleStatistics, type: "console_exporter")
        + AgentOutput.figures(file?.statistics ?? [:], type: "otlp_file_exporter")
    }

    private static func figures(
      _ statistics: [TelemetrySignal: DeliveryStatistics], type: String
    ) -> [ExporterFigures] {
      statistics.sorted { $0.key.rawValue < $1.key.rawValue }.map { signal, delivery in
        var figures = ExporterFigures(
          name: "\(type)/\(signal.rawValue)", type: type, signal: signal)
        figures.accepted = UInt64(delivery.produced + delivery.recovered)
        figures.exported = UInt64(delivery.sent)
        figures.queued = UInt64(delivery.queued + delivery.spooled)
        figures.failed = Dictionary(
          uniqueKeysWithValues: delivery.dropped.map { ($0.key.rawValue, UInt64($0.value)) })
        if delivery.rejected > 0 { figures.failed["rejected"] = UInt64(delivery.rejected) }
        return figures
      }
    }
  }

  /// The latest metrics of each source, for those who ask.
  final class LatestMetrics: Sendable {
    typealias Request = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest
    private let requests = Mutex<[String: Request]>([:])

    func set(_ request: Request, of source: String) {
      requests.withLock { $0[source] = request }
    }

    /// Forgets everything.
    func reset() { requests.withLock { $0 = [:] } }

    /// All together.
    var snapshot: Request {
      requests.withLock { requests in
        var all = Request()
        for (_, request) in requests.sorted(by: { $0.key < $1.key }) {
          all.resourceMetrics += request.resourceMetrics
        }
        return all
      }
    }
  }
#endif
