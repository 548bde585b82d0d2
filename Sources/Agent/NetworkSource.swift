#if OTLPExporter
  internal import AgentConfiguration
  internal import EBPF
  internal import EBPFTelemetry
  internal import EBPFTracers
  internal import OTLP

  /// The network tracer of an agent. It keeps nothing of what has ended.
  final class NetworkSource: TelemetrySource {
    let name = "network"
    let means = OverheadGovernor.Means(sendsEvents: false, takesStacks: false)
    private let queue = NetworkEventQueue()
    private let configuration: NetworkTracerConfiguration
    private var network: NetworkTracer
    private var telemetry: NetworkTelemetry

    var tracer: any Tracer { network }
    // What has ended is not kept, and what lives has its limit.
    var isWorn: Bool { false }
    var conversion: ConversionStatistics { telemetry.statistics }

    init(
      _ settings: AgentConfiguration.Network, filter: TracerFilter, _ options: TelemetryOptions
    ) {
      var configuration = NetworkTracerConfiguration()
      configuration.filter = filter
      configuration.recordsDNS = settings.dns
      configuration.recordsDrops = settings.drops
      configuration.linksSpans = true
      configuration.listLimit = 0
      // Some thousand events between two readings, which are a wake-up apart.
      configuration.eventBufferBytes = 1 << 20
      self.configuration = configuration
      var options = options
      options.connectionSpans = settings.spans
      network = NetworkTracer(configuration, listener: queue.listener)
      telemetry = NetworkTelemetry(options)
    }

    func start() throws(EBPFError) { try network.start() }

    func takeEvents() { telemetry.addAll(of: queue) }

    func collect() throws(EBPFError) -> [TelemetryExport] {
      let activity = try network.activity()
      takeEvents()
      return telemetry.collect(activity)
    }

    func finish() throws(EBPFError) -> [TelemetryExport] {
      let activity = try network.stop()
      network = NetworkTracer(configuration, listener: queue.listener)
      takeEvents()
      return telemetry.collect(activity)
    }
  }
#endif
