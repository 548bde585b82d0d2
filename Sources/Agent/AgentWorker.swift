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
      let tracers: AgentTracers
      let output: AgentOutput
      let sending: Task<Void, Never>
    }

    private let source: AgentConfigurationSource
    private let version: String
    private let logger: Logger
    private let metrics: LatestMetrics
    private let health: AgentHealth
    private var current: Generation?
    /// Exporters of earlier configurations that still send what waited.
    private var draining: [Task<Void, Never>] = []

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
      let generation = try begin(configuration)
      current = generation
      report(generation)
      if configuration.dropsPrivileges { dropPrivileges(configuration) }
    }

    /// What is to be done about once a second.
    func tick() {
      guard let current else { return }
      current.output.write(current.tracers.tick(exporters: current.output.figures))
      report(current)
    }

    /// Reads the configuration again and works by it; by the old one when it is wrong or does not start.
    func reload() {
      guard let old = current else { return }
      let configuration: AgentConfiguration
      do throws(ConfigurationError) { configuration = try source.read() } catch {
        for problem in error.problems { logger.error("\(problem)") }
        logger.error("the configuration is not changed")
        return
      }
      // First what can be wrong without stopping anything: exporters, files, names of containers.
      do {
        let new = try prepare(configuration)
        end(old)
        do {
          try new.tracers.start()
          current = generation(configuration, new)
          logger.info("the configuration was read again")
        } catch {
          logger.error("the new configuration does not start: \(AgentWorker.text(error))")
          current = try begin(old.configuration)
        }
      } catch {
        logger.error("the configuration is not changed: \(AgentWorker.text(error))")
      }
      if let current { report(current) }
    }

    /// Ends the tracers, sends what they saw last and waits until that is done, within the exporter's
    /// limit.
    func finish() async {
      if let current { end(current) }
      current = nil
      for task in draining { await task.value }
      draining = []
      health.set(.init(isRunning: false))
    }

    // MARK: -

    private typealias Prepared = (tracers: AgentTracers, output: AgentOutput)

    private func prepare(_ configuration: AgentConfiguration) throws -> Prepared {
      let detection = ResourceDetector.detect(serviceName: "ebpf-agent", version: version)
      for problem in detection.problems { logger.warning("\(problem)") }
      var resource = detection.resource
      for (key, value) in configuration.resource { resource[key] = .string(value) }
      let settings = try source.exporterConfiguration(of: configuration)
      let output = try AgentOutput(
        configuration, settings, version: version, metrics: metrics, logger: logger)
      let options = TelemetryOptions(resource: resource, version: version)
      return (try AgentTracers(configuration, options), output)
    }

    private func begin(_ configuration: AgentConfiguration) throws -> Generation {
      let prepared = try prepare(configuration)
      try prepared.tracers.start()
      return generation(configuration, prepared)
    }

    private func generation(
      _ configuration: AgentConfiguration, _ prepared: Prepared
    ) -> Generation {
      let exporter = prepared.output.exporter
      // Outside of what a graceful shutdown reaches: the last telemetry comes after it.
      let sending = Task.detached { [logger] in
        // Where nothing is to be sent, nothing would end it.
        guard !exporter.statistics.isEmpty else { return }
        do { try await exporter.run() } catch { logger.error("sending ended: \(error)") }
      }
      logger.info("tracing: \(prepared.tracers.names.joined(separator: ", "))")
      return Generation(
        configuration: configuration, tracers: prepared.tracers, output: prepared.output,
        sending: sending)
    }

    private func end(_ generation: Generation) {
      let output = generation.output
      output.write(generation.tracers.finish(exporters: output.figures))
      for notice in generation.tracers.takeNotices() { logger.warning("\(notice)") }
      output.exporter.drain()
      draining.append(generation.sending)
      metrics.reset()
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

    private static func text(_ error: any Error) -> String {
      if let error = error as? EBPFError { return error.message }
      return "\(error)"
    }
  }
#endif
