#if OTLPExporter
  public import Logging
  public import OTLP
  public import ServiceLifecycle

  /// Serves metrics to a Prometheus server that scrapes `/metrics`.
  public final class PrometheusEndpoint: Service, Sendable {
    /// Gives the metrics of this moment; they have to be cumulative. Called on an event loop: it must
    /// not wait.
    public typealias Snapshot =
      @Sendable () -> Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest

    private let endpoint: PageEndpoint
    /// The port that is listened on.
    public var port: Int { endpoint.port }

    /// Begins to listen, so that a taken address is told at once.
    ///
    /// - Parameter port: 0 takes a free one.
    public init(
      host: String, port: Int, logger: Logger, snapshot: @escaping Snapshot
    ) async throws(ExporterError) {
      endpoint = try await PageEndpoint(
        host: host, port: port,
        pages: [
          "/metrics": {
            PageEndpoint.Answer(
              type: PrometheusText.contentType, body: PrometheusText.page(snapshot()).0)
          }
        ],
        hint: "set OTEL_EXPORTER_PROMETHEUS_HOST and OTEL_EXPORTER_PROMETHEUS_PORT to an address "
          + "of this machine and a free port")
      logger.info("metrics are at \(endpoint.address)/metrics")
    }

    /// Serves until a graceful shutdown or a cancellation.
    public func run() async throws {
      // Both ways of waking up mean the same.
      do { try await gracefulShutdown() } catch {}
      await close()
    }

    /// Stops listening.
    public func close() async { await endpoint.close() }
  }
#endif
