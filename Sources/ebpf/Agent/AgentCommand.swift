#if OTLPExporter
  import Agent
  import AgentConfiguration
  import ArgumentParser
  import Dispatch
  import EBPF
  import EBPFSystem
  import Logging
  import ServiceLifecycle
  import Synchronization
  import UnixSignals

  /// `ebpf agent`.
  struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "agent",
      _superCommandName: "ebpf",
      abstract: "Run tracers for ever and send what they see to OpenTelemetry.",
      discussion: """
        Without a file all four tracers run as is usual in production, and everything goes each \
        minute to an OTLP receiver on this machine (http://localhost:4318). A YAML file or the \
        variables OTEL_EXPORTER_OTLP_…, OTEL_TRACES_EXPORTER and so on say otherwise; the file goes \
        before the environment. --print-config shows everything that is in effect, in the form of \
        the file.

          preset: production           # production 19 Hz, staging 49, development 99, debug 199
          interval: 60s                # between two exports
          tracers:                     # without this key all four
            profile: {frequency: 19, interval: 60s, stacks: both, unwind-memory: 8MiB}
            syscalls: {by: process, spans: {min-latency: 100ms, failed: false}}
            network: {spans: true, dns: false, drops: false}
            memory: {allocations: false, sample-bytes: 512KiB}
            processes: {arguments: false, forks: false}   # only where it is named
          filter: {processes: [], children: false, commands: [], cgroups: [], containers: []}
          max-overhead: 1%             # of one CPU; leaves out the costliest first
          export: {traces: otlp, metrics: [otlp, prometheus], logs: otlp, profiles: otlp}
          otlp:
            endpoint: https://collector:4318
            headers: {authorization: "Bearer ${TOKEN}"}
            compression: gzip
            certificate: /etc/ssl/ca.pem
            profiles: {endpoint: https://profiles:4318/v1development/profiles}
          file: {path: /var/log/ebpf.jsonl, format: json}
          prometheus: {host: localhost, port: 9464}
          queue: {size: 32MiB, spool: {path: /var/lib/ebpf, size: 256MiB}}
          resource: {deployment.environment.name: production}
          health: {host: localhost, port: 13133}
          drop-privileges: true

        SIGHUP makes it read the file again; a wrong one changes nothing. SIGTERM and Ctrl-C send \
        what was seen last, and end.

        EXAMPLES
          ebpf agent --config /etc/ebpf/agent.yaml
          OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 ebpf agent
          OTEL_METRICS_EXPORTER=console OTEL_TRACES_EXPORTER=none ebpf agent

        PRIVILEGES
          CAP_BPF and CAP_PERFMON, or root; ebpf check --least-privilege tells which.
        """)

    @Option(
      name: .shortAndLong, help: ArgumentHelp("The configuration, a YAML file.", valueName: "file"))
    var config: String?

    @Flag(help: "Print what is in effect, as a file, and end.")
    var printConfig = false

    @Flag(name: .shortAndLong, help: "Log more.")
    var verbose = false

    func run() throws {
      let source = AgentConfigurationSource(
        file: config, environment: ProcessEnvironment.variables)
      let agent: AgentConfiguration
      do throws(ConfigurationError) { agent = try source.read() } catch {
        for problem in error.problems { Output.note("error: \(problem)") }
        throw ExitCode.failed
      }
      if printConfig { return try Output.result(agent.yaml) }
      ProcessUsage.useOneHeap()
      try serve(agent, source)
    }

    /// Waits on this thread while the service runs on others: a main function that is `async` costs a
    /// static executable dearly at its start.
    private func serve(_ agent: AgentConfiguration, _ source: AgentConfigurationSource) throws {
      LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
      var logger = Logger(label: "ebpf")
      logger.logLevel = verbose ? .debug : .info
      let log = logger
      let service = AgentService(agent, source: source, version: Version.text, logger: log)
      let outcome = Outcome()
      let ended = DispatchSemaphore(value: 0)
      Task.detached {
        let group = ServiceGroup(
          services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        do { try await group.run() } catch { outcome.set(error) }
        ended.signal()
      }
      ended.wait()
      guard let error = outcome.error else { return }
      if let error = error as? EBPFError { throw Output.failure(error, json: false) }
      Output.note("error: \(error)")
      throw ExitCode.failed
    }
  }

  /// How the service ended, told by one thread to another.
  private final class Outcome: Sendable {
    private let failure = Mutex<(any Error)?>(nil)

    var error: (any Error)? { failure.withLock { $0 } }

    func set(_ error: any Error) { failure.withLock { $0 = error } }
  }
#endif
