#if OTLPExporter
  internal import AgentConfiguration
  internal import EBPF
  internal import EBPFSystem
  internal import EBPFTelemetry
  internal import Logging
  internal import OTLP
  internal import OTLPExporter

  /// Runs one configuration after the other.
  actor AgentWorker {
    /// A configuration at work.
    private struct Generation {
      let configuration: AgentConfiguration
      let settings: ExporterConfiguration
      let tracers: AgentTracers
      let output: AgentOutput
    }

    private let source: AgentConfigurationSource
    private let version: String
    private let logger: Logger
    private let metrics: LatestMetrics
    private let health: AgentHealth
    /// Nil while one configuration gives way to another.
    private var current: Generation?

    init(
      _ source: AgentConfigurationSource, version: String, metrics: LatestMetrics,
      health: AgentHealth, logger: Logger
    ) {
      self.source = source
      self.version = version
      self.metrics = metrics
      self.health = health
      self.logger = logger
    }

    /// Starts the tracers and gives up the privileges that are not needed any more.
    func start(_ configuration: AgentConfiguration) throws {
      try begin(configuration, nil)
      if configuration.dropsPrivileges { dropPrivileges(configuration) }
    }

    /// What is to be done about once a second.
    func tick() {
      guard let current else { return }
      current.output.write(current.tracers.tick(exporters: current.output.figures))
      report(current)
    }

    /// Reads the configuration again and works by it; by the old one when it is wrong or does not start.
    ///
    /// Exporters whose settings stay the same go on. Others first send what waits, within their limit,
    /// because the new ones may need the same files; nothing is traced meanwhile. Throws when neither
    /// configuration starts.
    func reload() async throws {
      guard let before = current?.configuration, let settings = current?.settings else { return }
      let new: AgentConfiguration
      let keepsOutput: Bool
      do {
        new = try source.read()
        // What can be wrong is looked for while the old one runs: names of containers, variables.
        _ = try AgentTracers(new, options(new))
        keepsOutput =
          try source.exporterConfiguration(of: new) == settings && before.exports(like: new)
      } catch { return refuse(error) }
      if new.health != before.health || new.listens(unlike: before) {
        logger.warning("other addresses to listen at take a restart")
      }
      let output = keepsOutput ? current?.output : nil
      await end(keepsOutput: keepsOutput)
      do {
        try begin(new, output)
        logger.info("the configuration was read again")
      } catch {
        refuse(error)
        try begin(before, output)
      }
    }

    /// Ends the tracers, sends what they saw last and waits until that is done, within the exporter's
    /// limit.
    func finish() async {
      await end(keepsOutput: false)
      health.set(.init(isRunning: false))
    }

    // MARK: -

    private func refuse(_ error: any Error) {
      for sentence in AgentWorker.sentences(error) { logger.error("\(sentence)") }
      logger.error("the configuration is not changed")
    }

    private func options(_ configuration: AgentConfiguration) -> TelemetryOptions {
      let detection = ResourceDetector.detect(serviceName: "ebpf-agent", version: version)
      for problem in detection.problems { logger.warning("\(problem)") }
      var resource = detection.resource
      for (key, value) in configuration.resource { resource[key] = .string(value) }
      return TelemetryOptions(resource: resource, version: version)
    }

    private func begin(_ configuration: AgentConfiguration, _ output: AgentOutput?) throws {
      let settings = try source.exporterConfiguration(of: configuration)
      let output =
        try output
        ?? AgentOutput(configuration, settings, version: version, metrics: metrics, logger: logger)
      let tracers = try AgentTracers(configuration, options(configuration))
      try tracers.start()
      logger.info("tracing: \(tracers.names.joined(separator: ", "))")
      let generation = Generation(
        configuration: configuration, settings: settings, tracers: tracers, output: output)
      current = generation
      report(generation)
    }

    /// Nothing of the generation is left when this returns, its files and locks included, unless its
    /// output is kept.
    private func end(keepsOutput: Bool) async {
      guard let ended = current else { return }
      current = nil
      ended.output.write(ended.tracers.finish(exporters: ended.output.figures))
      for notice in ended.tracers.takeNotices() { logger.warning("\(notice)") }
      metrics.reset()
      if !keepsOutput { await ended.output.finish() }
    }

    private func report(_ generation: Generation) {
      for notice in generation.tracers.takeNotices() { logger.warning("\(notice)") }
      health.set(
        .init(
          isRunning: true, tracers: generation.tracers.names,
          failures: generation.tracers.failures, exporters: generation.output.figures))
    }

    private func dropPrivileges(_ configuration: AgentConfiguration) {
      do throws(Errno) {
        let held = try CurrentProcess.capabilities()
        let kept = held.intersection(AgentPrivileges.needed(by: configuration))
        try CurrentProcess.limitCapabilities(to: kept)
        logger.info("kept \(kept.map(\.name).sorted().joined(separator: ", "))")
      } catch { logger.warning("privileges could not be given up: \(error.text)") }
    }

    private static func sentences(_ error: any Error) -> [String] {
      switch error {
      case let error as ConfigurationError: error.problems.map(\.description)
      case let error as EBPFError: [error.message]
      default: ["\(error)"]
      }
    }
  }

  extension AgentConfiguration {
    /// Whether telemetry goes the same way, as far as exporters' variables do not say it.
    fileprivate func exports(like other: AgentConfiguration) -> Bool {
      queueBytes == other.queueBytes && spool == other.spool && output == other.output
    }

    /// Whether Prometheus is served at another address.
    fileprivate func listens(unlike other: AgentConfiguration) -> Bool {
      ["OTEL_EXPORTER_PROMETHEUS_HOST", "OTEL_EXPORTER_PROMETHEUS_PORT", "OTEL_METRICS_EXPORTER"]
        .contains { variables[$0]?.value != other.variables[$0]?.value }
    }
  }
#endif
