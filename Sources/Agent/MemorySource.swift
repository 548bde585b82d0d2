#if OTLPExporter
  internal import AgentConfiguration
  internal import EBPF
  internal import EBPFTelemetry
  internal import EBPFTracers
  internal import OTLP

  /// The memory tracer of an agent.
  final class MemorySource: TelemetrySource {
    let name = "memory"
    let means = OverheadGovernor.Means(sendsEvents: false, takesStacks: true)
    private let configuration: MemoryTracerConfiguration
    private var sharing: TracerSharing
    private var memory: MemoryTracer
    private(set) var isWorn = false
    private var telemetry: MemoryTelemetry

    var tracer: any Tracer { memory }
    var conversion: ConversionStatistics { telemetry.statistics }

    init(
      _ settings: AgentConfiguration.Memory, filter: TracerFilter, sharing: TracerSharing,
      _ options: TelemetryOptions
    ) {
      var configuration = MemoryTracerConfiguration()
      configuration.filter = filter
      if let mean = settings.sampleBytes {
        configuration.allocations = .sampled(bytes: mean)
      } else {
        configuration.eventBufferBytes = 1 << 20
      }
      self.configuration = configuration
      self.sharing = sharing
      memory = MemoryTracer(configuration, sharing: sharing)
      telemetry = MemoryTelemetry(options)
    }

    func start() throws(EBPFError) { try memory.start() }

    func releaseMemory() { sharing.releaseMemory() }

    func collect() throws(EBPFError) -> [TelemetryExport] {
      let recording = try memory.snapshot()
      isWorn = recording.sites.count > Int(configuration.siteLimit) / 2
      return telemetry.collect(recording)
    }

    func finish() throws(EBPFError) -> [TelemetryExport] {
      let recording = try memory.stop()
      // With names of its own: those that were looked up for processes long gone go, too.
      sharing = TracerSharing()
      memory = MemoryTracer(configuration, sharing: sharing)
      defer { telemetry.beginAnew() }
      return telemetry.collect(recording)
    }
  }
#endif
