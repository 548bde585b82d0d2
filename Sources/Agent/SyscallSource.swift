#if OTLPExporter
  internal import AgentConfiguration
  internal import EBPF
  internal import EBPFTelemetry
  internal import EBPFTracers
  internal import OTLP

  /// The system call tracer of an agent.
  final class SyscallSource: TelemetrySource {
    let name = "syscalls"
    let means: OverheadGovernor.Means
    private let configuration: SyscallTracerConfiguration
    private var syscalls: SyscallTracer
    private(set) var isWorn = false
    private var telemetry: SyscallTelemetry

    var tracer: any Tracer { syscalls }
    var conversion: ConversionStatistics { telemetry.statistics }

    /// - Parameter isGoverned: what its programs cost must be known.
    init(
      _ settings: AgentConfiguration.Syscalls, filter: TracerFilter, isGoverned: Bool,
      _ options: TelemetryOptions
    ) {
      var configuration = SyscallTracerConfiguration()
      configuration.measuresProgramTime = isGoverned
      configuration.filter = filter
      configuration.grouping = settings.grouping
      configuration.sendsEvents = settings.spans.isAnyWanted
      configuration.eventRule = settings.spans
      configuration.linksSpans = true
      // Mapped twice, as the kernel lays a ring out, so it counts twice as resident. Room for ten thousand
      // calls between two readings.
      configuration.eventBufferBytes = 2 << 20
      self.configuration = configuration
      // A longer minimum takes nothing away from calls that fail.
      means = OverheadGovernor.Means(
        sendsEvents: settings.spans.minimumNanoseconds != nil, takesStacks: false)
      var options = options
      options.syscallSpans = settings.spans
      syscalls = SyscallTracer(configuration)
      telemetry = SyscallTelemetry(options)
    }

    func start() throws(EBPFError) { try syscalls.start() }

    func takeEvents() throws(EBPFError) {
      guard configuration.sendsEvents else { return }
      try syscalls.readEvents { telemetry.add($0) }
    }

    func collect() throws(EBPFError) -> [TelemetryExport] {
      try takeEvents()
      let summary = try syscalls.snapshot()
      // Room for as many combinations again as there are lines is what keeps calls from being dropped.
      isWorn = summary.matrix.count > configuration.keys / 2
      return telemetry.collect(summary)
    }

    func finish() throws(EBPFError) -> [TelemetryExport] {
      if !syscalls.isPaused { try syscalls.pause() }
      try takeEvents()
      let summary = try syscalls.stop()
      syscalls = SyscallTracer(configuration)
      for event in summary.unreadEvents { telemetry.add(event) }
      defer { telemetry.beginAnew() }
      return telemetry.collect(summary)
    }
  }
#endif
