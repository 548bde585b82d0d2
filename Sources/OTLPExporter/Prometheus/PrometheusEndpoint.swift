#if OTLPExporter
  public import Logging
  internal import NIOCore
  internal import NIOHTTP1
  internal import NIOPosix
  public import OTLP
  public import ServiceLifecycle

  /// Serves metrics to a Prometheus server that scrapes `/metrics`.
  public final class PrometheusEndpoint: Service, Sendable {
    /// Gives the metrics of this moment; they have to be cumulative. Called on an event loop: it must
    /// not wait.
    public typealias Snapshot =
      @Sendable () -> Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest

    /// The most connections at a time; more are closed at once.
    static let maximumConnections = 32

    private let channel: any Channel
    private let logger: Logger
    /// The port that is listened on.
    public let port: Int

    /// Begins to listen, so that a taken address is told at once.
    ///
    /// - Parameter port: 0 takes a free one.
    public init(
      host: String, port: Int, logger: Logger, snapshot: @escaping Snapshot
    ) async throws(ExporterError) {
      self.logger = logger
      let connections = ConnectionCount()
      let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            channel.closeFuture.whenComplete { _ in connections.remove() }
            // An error here closes the connection.
            guard connections.add(limit: PrometheusEndpoint.maximumConnections) else {
              throw ExporterError(.address, "too many connections")
            }
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(PrometheusHandler(snapshot))
          }
        }
      do {
        channel = try await bootstrap.bind(host: host, port: port).get()
      } catch {
        throw ExporterError(
          .address, "cannot listen on \(printable(host)):\(port): \(printable("\(error)"))",
          hint: "set OTEL_EXPORTER_PROMETHEUS_HOST and OTEL_EXPORTER_PROMETHEUS_PORT to an address "
            + "of this machine and a free port")
      }
      self.port = channel.localAddress?.port ?? port
      logger.info("metrics are at http://\(host):\(self.port)/metrics")
    }

    /// Serves until a graceful shutdown or a cancellation.
    public func run() async throws {
      // Both ways of waking up mean the same.
      do { try await gracefulShutdown() } catch {}
      await close()
    }

    /// Stops listening.
    public func close() async {
      // What can fail is closing twice, which is no harm.
      do { try await channel.close() } catch {}
    }
  }
#endif
