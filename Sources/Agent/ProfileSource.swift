#if OTLPExporter
  internal import AgentConfiguration
  internal import EBPF
  internal import EBPFTelemetry
  internal import EBPFTracers
  internal import OTLP

  /// The CPU profiler of an agent: one profile for each interval, each sample in exactly one.
  final class ProfileSource: TelemetrySource {
    /// Samples after which the profiler is worn: the stacks that it keeps are fewer.
    private static let renewal: UInt64 = 100_000

    let name = "profile"
    let means = OverheadGovernor.Means(sendsEvents: false, takesStacks: true)
    private let configuration: CPUProfilerConfiguration
    private var sharing: TracerSharing
    private var profiler: CPUProfiler
    private(set) var isWorn = false
    private var mark: CPUProfileMark?
    private var telemetry: ProfileTelemetry

    var tracer: any Tracer { profiler }
    var conversion: ConversionStatistics { telemetry.statistics }

    init(
      _ profile: AgentConfiguration.Profile, frequency: Int, filter: TracerFilter,
      sharing: TracerSharing, _ options: TelemetryOptions
    ) {
      var configuration = CPUProfilerConfiguration()
      configuration.frequency = frequency
      configuration.filter = filter
      configuration.stacks = profile.stacks
      configuration.unwindBytes = profile.unwindBytes
      configuration.separatesThreads = profile.separatesThreads
      configuration.sampleLimit = 0
      self.configuration = configuration
      self.sharing = sharing
      profiler = CPUProfiler(configuration, sharing: sharing)
      telemetry = ProfileTelemetry(options)
    }

    func start() throws(EBPFError) { try profiler.start() }

    func releaseMemory() { sharing.releaseMemory() }

    func collect() throws(EBPFError) -> [TelemetryExport] {
      let (profile, mark) = try profiler.snapshot(since: mark)
      self.mark = mark
      isWorn = try profiler.statistics().recorded >= Self.renewal
      return telemetry.collect(profile.profile)
    }

    func finish() throws(EBPFError) -> [TelemetryExport] {
      if !profiler.isPaused { try profiler.pause() }
      let exports = try collect()
      _ = try profiler.stop()
      mark = nil
      // With names of its own: those that were looked up for processes long gone go, too.
      sharing = TracerSharing()
      profiler = CPUProfiler(configuration, sharing: sharing)
      return exports
    }
  }
#endif
