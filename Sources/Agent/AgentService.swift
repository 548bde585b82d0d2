#if OTLPExporter
  public import AgentConfiguration
  public import Logging
  internal import OTLP
  internal import OTLPExporter
  public import ServiceLifecycle
  internal import UnixSignals

  /// Runs tracers for ever and exports what they see.
  ///
  /// SIGHUP makes it read its configuration again. A graceful shutdown ends the tracers, and sends what
  /// they saw last.
  public struct AgentService: Service {
    private let source: AgentConfigurationSource
    private let configuration: AgentConfiguration
    private let version: String
    private let logger: Logger

    /// An agent that begins with `configuration`, which `source` gave.
    public init(
      _ configuration: AgentConfiguration, source: AgentConfigurationSource, version: String,
      logger: Logger
    ) {
      self.source = source
      self.configuration = configuration
      self.version = version
      self.logger = logger
    }

    /// Runs until a graceful shutdown; throws when a tracer does not start or an address is taken.
    public func run() async throws {
      // First: until then the signal ends the process.
      let hangups = await UnixSignalsSequence(trapping: .sighup)
      let metrics = LatestMetrics()
      let health = AgentHealth()
      let prometheus = try await prometheus(metrics)
      let worker = AgentWorker(
        source, version: version, metrics: metrics, health: health, logger: logger)
      var failure: (any Error)?
      do {
        let inquiries = try await inquiries(health)
        do {
          try await worker.start(configuration)
          do {
            try await work(worker, hangups)
          } catch is CancellationError {
            // A shutdown: it is time to finish.
          }
          await worker.finish()
        } catch { failure = error }
        await inquiries?.close()
      } catch { failure = error }
      await prometheus?.close()
      if let failure { throw failure }
    }

    /// Ticks and reloads until a graceful shutdown, which is a cancellation here.
    private func work(_ worker: AgentWorker, _ hangups: UnixSignalsSequence) async throws {
      try await cancelWhenGracefulShutdown {
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await tick(worker) }
          group.addTask { for await _ in hangups { try await worker.reload() } }
          try await group.waitForAll()
        }
      }
    }

    private func tick(_ worker: AgentWorker) async throws {
      let clock = ContinuousClock()
      var next = clock.now
      while true {
        next = max(next + .seconds(1), clock.now)
        try await Task.sleep(until: next, clock: clock)
        await worker.tick()
      }
    }

    /// Where metrics are scraped; nil where nobody asked for that.
    private func prometheus(_ metrics: LatestMetrics) async throws -> PrometheusEndpoint? {
      let settings = try source.exporterConfiguration(of: configuration)
      guard settings[.metrics].destinations.contains(.prometheus) else { return nil }
      return try await PrometheusEndpoint(
        host: settings.prometheusHost, port: settings.prometheusPort, logger: logger
      ) { metrics.snapshot }
    }

    /// Where one asks how the agent is; nil where nobody asked for that.
    private func inquiries(_ health: AgentHealth) async throws -> PageEndpoint? {
      guard let address = configuration.health else { return nil }
      let endpoint = try await PageEndpoint(
        host: address.host, port: Int(address.port),
        pages: [
          "/health": {
            do {
              let text = try health.json()
              return .init(status: health.isGood ? 200 : 503, type: "application/json", body: text)
            } catch { return .init(status: 500, body: "\(error)\n") }
          }
        ])
      logger.info("health is at \(endpoint.address)/health")
      return endpoint
    }
  }
#endif
