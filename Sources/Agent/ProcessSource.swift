#if OTLPExporter
  internal import AgentConfiguration
  internal import EBPF
  internal import EBPFTelemetry
  internal import EBPFTracers
  internal import OTLP

  /// The process tracer of an agent: a span for each program that ends.
  final class ProcessSource: TelemetrySource {
    let name = "processes"
    let means = OverheadGovernor.Means(sendsEvents: false, takesStacks: false)
    private let configuration: ProcessTracerConfiguration
    private var processes: ProcessTracer
    private var telemetry: ProcessTelemetry

    var tracer: any Tracer { processes }
    // What has ended is not kept, and what runs has its limit.
    var isWorn: Bool { false }
    var conversion: ConversionStatistics { telemetry.statistics }

    /// - Parameter isGoverned: what its programs cost must be known.
    init(
      _ settings: AgentConfiguration.Processes, filter: TracerFilter, isGoverned: Bool,
      _ options: TelemetryOptions
    ) {
      var configuration = ProcessTracerConfiguration()
      configuration.measuresProgramTime = isGoverned
      configuration.filter = filter
      configuration.keepsArguments = settings.arguments
      self.configuration = configuration
      var options = options
      options.processSpans.arguments = settings.arguments
      options.processSpans.forks = settings.forks
      processes = ProcessTracer(configuration)
      telemetry = ProcessTelemetry(options)
    }

    func start() throws(EBPFError) { try processes.start() }

    func takeEvents() throws(EBPFError) { try processes.readEvents { telemetry.add($0) } }

    func collect() throws(EBPFError) -> [TelemetryExport] {
      try takeEvents()
      return telemetry.collect(try processes.snapshot())
    }

    func finish() throws(EBPFError) -> [TelemetryExport] {
      let recording = try processes.stop()
      processes = ProcessTracer(configuration)
      for event in recording.unreadEvents { telemetry.add(event) }
      defer { telemetry.beginAnew() }
      return telemetry.collect(recording)
    }
  }
#endif
