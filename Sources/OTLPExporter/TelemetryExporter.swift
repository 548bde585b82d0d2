#if OTLPExporter
  internal import EBPFSystem
  public import Logging
  public import OTLP
  public import ServiceLifecycle

  /// Sends telemetry the way the `OTEL_…` variables say: to OTLP receivers, to standard output, or
  /// nowhere.
  ///
  /// ``export(_:)`` never waits for the network. ``run()`` does the sending and returns after a
  /// graceful shutdown, when everything is sent or ``Options/flushLimit`` is over.
  public final class TelemetryExporter: Service, Sendable {
    /// What no variable of OpenTelemetry's specification sets.
    public struct Options: Sendable {
      /// The most bytes of requests that wait in memory, for each signal.
      public var queueBytes = 32 << 20
      /// The largest body before compression; larger requests are sent in parts.
      public var maximumRequestBytes = 4 << 20
      /// A folder for requests that wait, which then survive the end of the process, also by a crash;
      /// nil keeps them in memory only.
      public var spoolFolder: String?
      /// The most bytes of requests that wait on disk, for each signal.
      public var spoolBytes = 256 << 20
      /// When failed requests are tried again.
      public var retry = RetryPolicy()
      /// The longest time a graceful shutdown sends what still waits.
      public var flushLimit: Duration = .seconds(10)
      /// What requests say of who sends them.
      public var userAgent = "OTel-OTLP-Exporter-Swift"

      /// The defaults.
      public init() {}
    }

    private let pipelines: [TelemetrySignal: DeliveryPipeline]
    private let console: FileExporter?
    private let consoleSignals: Set<TelemetrySignal>
    private let options: Options
    /// Two processes in one spool would send and remove each other's requests.
    private let lock: FileLock?

    /// Opens files and the spool, and takes over what an earlier process left there.
    public convenience init(
      _ configuration: ExporterConfiguration, options: Options = Options(), logger: Logger
    ) throws(ExporterError) {
      try self.init(
        configuration, options: options, logger: logger, clock: SystemExporterClock())
    }

    init(
      _ configuration: ExporterConfiguration, options: Options, logger: Logger,
      clock: any ExporterClock
    ) throws(ExporterError) {
      for warning in configuration.warnings { logger.warning("\(warning)") }
      self.options = options
      lock = configuration.isDisabled ? nil : try TelemetryExporter.lock(options.spoolFolder)
      var pipelines: [TelemetrySignal: DeliveryPipeline] = [:]
      var consoleSignals: Set<TelemetrySignal> = []
      for signal in TelemetrySignal.allCases where !configuration.isDisabled {
        let settings = configuration[signal]
        if settings.destinations.contains(.console) { consoleSignals.insert(signal) }
        guard settings.destinations.contains(.otlp) else { continue }
        pipelines[signal] = try TelemetryExporter.pipeline(
          signal, configuration, options, logger, clock)
      }
      self.pipelines = pipelines
      self.consoleSignals = consoleSignals
      console = consoleSignals.isEmpty ? nil : try FileExporter(.standardOutput, format: .jsonLines)
    }

    private static func lock(_ folder: String?) throws(ExporterError) -> FileLock? {
      guard let folder else { return nil }
      do throws(Errno) {
        if !FileSystem.exists(folder) { try FileSystem.makeDirectory(folder) }
        return try FileLock(directory: folder)
      } catch {
        let why = error == .again ? "another process uses it" : "\(error)"
        throw ExporterError(
          .file, "the spool's folder '\(printable(folder))' cannot be used: \(why)",
          hint:
            "give each exporter a folder of its own that it can write to; the parent has to exist")
      }
    }

    private static func pipeline(
      _ signal: TelemetrySignal, _ configuration: ExporterConfiguration, _ options: Options,
      _ logger: Logger, _ clock: any ExporterClock
    ) throws(ExporterError) -> DeliveryPipeline {
      var settings = configuration[signal]
      var maximumItems = Int.max
      if signal == .traces {
        maximumItems = configuration.batching.maximumBatchSize
        settings.timeout = [settings.timeout, configuration.batching.exportTimeout]
          .compactMap { $0 }.min()
      }
      let transport = try HTTPTransport(
        signal: signal, settings: settings, proxies: configuration.proxies,
        maximumRequestBytes: options.maximumRequestBytes, userAgent: options.userAgent,
        clock: clock)
      var limits = DeliveryQueue.Limits()
      limits.memoryBytes = options.queueBytes
      limits.retry = options.retry
      if signal == .traces { limits.memoryItems = configuration.batching.maximumQueueSize }
      var spool: Spool?
      if let folder = options.spoolFolder {
        limits.spoolBytes = options.spoolBytes
        spool = try Spool(
          root: folder, signal: signal, maximumFileSize: options.maximumRequestBytes)
      }
      var own = logger
      own[metadataKey: "signal"] = .string(signal.rawValue)
      let log = own
      return try DeliveryPipeline(
        signal: signal, limits: limits, maximumRequestBytes: options.maximumRequestBytes,
        maximumRequestItems: maximumItems, transport: transport, spool: spool, clock: clock
      ) { notice in
        log.log(level: notice.isGood ? .info : .warning, "\(notice.sentence)")
      }
    }

    /// Takes a request; it is sent while ``run()`` runs.
    ///
    /// What goes nowhere by configuration is accepted and not counted.
    @discardableResult
    public func export(_ export: TelemetryExport) -> Receipt {
      let signal = export.signal
      var receipt = Receipt.accepted
      if let console, consoleSignals.contains(signal) { receipt = console.export(export) }
      guard let pipeline = pipelines[signal] else { return receipt }
      let sent = pipeline.export(export)
      if case .dropped = receipt { return receipt }
      return sent
    }

    /// What became of each signal's items that were to be sent.
    public var statistics: [TelemetrySignal: DeliveryStatistics] {
      pipelines.mapValues(\.statistics)
    }

    /// What became of each signal's items that were to be printed.
    public var consoleStatistics: [TelemetrySignal: DeliveryStatistics] {
      console?.statistics ?? [:]
    }

    /// Sends until a graceful shutdown or a cancellation.
    public func run() async throws {
      await withGracefulShutdownHandler {
        await withTaskGroup(of: Void.self) { group in
          for pipeline in pipelines.values { group.addTask { await pipeline.run() } }
          // Without any, there still is something to wait for.
          if pipelines.isEmpty {
            group.addTask { do { try await gracefulShutdown() } catch {} }
          }
        }
      } onGracefulShutdown: {
        self.drain()
      }
    }

    /// Asks ``run()`` to send what waits and return: what a graceful shutdown does.
    public func drain() {
      for pipeline in pipelines.values { pipeline.drain(for: options.flushLimit) }
    }
  }
#endif
