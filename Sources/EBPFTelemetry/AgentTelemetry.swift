internal import EBPFSystem
public import EBPFTracers
public import OTLP

/// Makes metrics of what tracing itself does: tracers, BPF programs, conversion and export.
public struct AgentTelemetry: Sendable {
  /// What is known of one tracer.
  public struct TracerFigures: Sendable {
    /// Its name: `network`.
    public var name: String
    /// What it recorded and lost.
    public var statistics: TracerStatistics
    /// What it cost; nil when nobody asked.
    public var overhead: TracerOverhead?
    /// What became of its events; nil when they are not converted.
    public var conversion: ConversionStatistics?
    /// When it was started, in nanoseconds since 1970, where that was after the others: its sums began
    /// anew then.
    public var start: UInt64?

    /// Creates figures.
    public init(
      name: String, statistics: TracerStatistics, overhead: TracerOverhead? = nil,
      conversion: ConversionStatistics? = nil, start: UInt64? = nil
    ) {
      self.name = name
      self.statistics = statistics
      self.overhead = overhead
      self.conversion = conversion
      self.start = start
    }
  }

  private let options: TelemetryOptions
  private let start: UInt64
  /// What was converted and what not.
  public private(set) var statistics = ConversionStatistics()

  /// Sums begin at `start`, in nanoseconds since 1970; nil for now.
  public init(_ options: TelemetryOptions, start: UInt64? = nil) {
    self.options = options
    self.start = start ?? Clock.wall.now
  }

  /// The sums as they are now.
  public mutating func collect(
    tracers: [TracerFigures] = [], programs: [BPFProgramFigures] = [],
    exporters: [ExporterFigures] = [], at now: UInt64? = nil
  ) -> [TelemetryExport] {
    var metrics = MetricBatch(start: start, time: now ?? Clock.wall.now)
    add(tracers, &metrics)
    add(programs, &metrics)
    add(exporters, &metrics)
    // This is about this process, whatever is observed.
    guard let export = metrics.export(resource: options.resource, scope: options.scope) else {
      return []
    }
    statistics.dataPoints += UInt64(export.itemCount)
    return [export]
  }

  // MARK: - Tracers

  private func add(_ tracers: [TracerFigures], _ metrics: inout MetricBatch) {
    var events: [NumberPoint] = []
    var conversions: [NumberPoint] = []
    var times: [NumberPoint] = []
    var memory: [NumberPoint] = []
    for tracer in tracers {
      let name = Attribute(Key.tracer, tracer.name)
      func add(
        _ outcome: String, _ count: UInt64, since start: UInt64?, to points: inout [NumberPoint]
      ) {
        points.append(NumberPoint([name, Attribute(Key.outcome, outcome)], count, start: start))
      }
      add("recorded", tracer.statistics.recorded, since: tracer.start, to: &events)
      add("dropped", tracer.statistics.dropped, since: tracer.start, to: &events)
      add("unwanted", tracer.statistics.unwanted, since: tracer.start, to: &events)
      // What converts outlives the tracer.
      if let conversion = tracer.conversion {
        let converted =
          conversion.spans + conversion.dataPoints + conversion.logRecords + conversion.samples
        add("converted", converted, since: nil, to: &conversions)
        for (reason, count) in conversion.dropped.sorted(by: { $0.key.rawValue < $1.key.rawValue })
        {
          add(reason.rawValue, count, since: nil, to: &conversions)
        }
      }
      if let time = tracer.overhead?.kernelNanoseconds {
        times.append(NumberPoint([name], .double(Double(time) / 1e9), start: tracer.start))
      }
      if let bytes = tracer.overhead?.mapBytes { memory.append(NumberPoint([name], bytes)) }
    }
    metrics.add(
      MetricDescriptor(
        "ebpf.tracer.events", unit: "{event}", "Events that tracers saw, by what became of them."),
      .counter, events)
    metrics.add(
      MetricDescriptor(
        "ebpf.telemetry.items", unit: "{item}",
        "What was made of events, and what was dropped on the way."), .counter, conversions)
    metrics.add(
      MetricDescriptor("ebpf.tracer.kernel.time", unit: "s", "Time in the tracers' programs."),
      .counter, times)
    metrics.add(
      MetricDescriptor("ebpf.tracer.map.usage", unit: "By", "Memory of the tracers' maps."),
      .upDown, memory)
  }

  // MARK: - Programs

  private func add(_ programs: [BPFProgramFigures], _ metrics: inout MetricBatch) {
    func points(_ value: (BPFProgramFigures) -> MetricValue) -> [NumberPoint] {
      programs.map { program in
        NumberPoint(
          [
            Attribute(Key.programID, program.id), Attribute(Key.programName, program.name),
            Attribute(Key.programType, program.type),
          ], value(program), start: program.loadTime)
      }
    }
    metrics.add(
      MetricDescriptor(
        "bpf.program.runs", unit: "{run}",
        "How often BPF programs ran while the kernel counted (BPF_ENABLE_STATS)."), .counter,
      points { .integer(Int64(clamping: $0.runCount)) })
    metrics.add(
      MetricDescriptor("bpf.program.run.time", unit: "s", "Time in BPF programs meanwhile."),
      .counter, points { .double(Double($0.runNanoseconds) / 1e9) })
  }
}
