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
    /// Calls that are shorter are not sent as events, whatever the governor says.
    private let minimum: UInt64
    private var syscalls: SyscallTracer
    private(set) var isWorn = false
    private var telemetry: SyscallTelemetry

    var tracer: any Tracer { syscalls }
    var conversion: ConversionStatistics { telemetry.statistics }

    init(
      _ settings: AgentConfiguration.Syscalls, filter: TracerFilter, _ options: TelemetryOptions
    ) {
      var configuration = SyscallTracerConfiguration()
      configuration.filter = filter
      configuration.grouping = settings.grouping
      configuration.sendsEvents = settings.spans.isWanted
      self.configuration = configuration
      // A call that fails is seldom a long one: then all are sent, and looked at here.
      minimum = settings.spans.failed ? 0 : settings.spans.minimumNanoseconds ?? 0
      means = OverheadGovernor.Means(
        sendsEvents: configuration.sendsEvents, takesStacks: false)
      var options = options
      options.syscallSpans.failed = settings.spans.failed
      options.syscallSpans.minimumNanoseconds = settings.spans.minimumNanoseconds
      syscalls = SyscallTracer(configuration)
      telemetry = SyscallTelemetry(options)
    }

    func start() throws(EBPFError) {
      try syscalls.start()
      if minimum > 0 { try economize(TracerEconomy()) }
    }

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

    func economize(_ economy: TracerEconomy) throws(EBPFError) {
      var economy = economy
      economy.minimumEventNanoseconds = max(economy.minimumEventNanoseconds, minimum)
      try syscalls.economize(economy)
    }
  }
#endif
