public import OTLP

/// What an exporter has done so far with one signal.
public struct ExporterFigures: Sendable, Hashable {
  /// Its name, one of its kind: `otlp_http_exporter/0`.
  public var name: String
  /// Its kind, in the convention's words: `otlp_http_exporter`, `otlp_http_json_exporter`.
  public var type: String
  /// What it exports.
  public var signal: TelemetrySignal
  /// Items that were given to it: spans, data points, log records, samples.
  public var accepted: UInt64 = 0
  /// Those that a receiver has taken.
  public var exported: UInt64 = 0
  /// Those that were not, by reason: `429`, `timeout`, `queue_full`.
  public var failed: [String: UInt64] = [:]
  /// Items that wait.
  public var queued: UInt64 = 0
  /// How many may wait; nil when that is not counted in items.
  public var queueCapacity: UInt64?

  /// Of nothing exported yet.
  public init(name: String, type: String, signal: TelemetrySignal) {
    self.name = name
    self.type = type
    self.signal = signal
  }
}

extension AgentTelemetry {
  func add(_ exporters: [ExporterFigures], _ metrics: inout MetricBatch) {
    for signal in TelemetrySignal.allCases {
      let figures = exporters.filter { $0.signal == signal }
      guard !figures.isEmpty else { continue }
      let (item, unit) = AgentTelemetry.item(signal)
      var exported: [NumberPoint] = []
      var queued: [NumberPoint] = []
      var capacity: [NumberPoint] = []
      for one in figures {
        let attributes = [
          Attribute(Key.componentName, one.name), Attribute(Key.componentType, one.type),
        ]
        exported.append(NumberPoint(attributes, one.exported))
        for (reason, count) in one.failed.sorted(by: { $0.key < $1.key }) {
          exported.append(NumberPoint(attributes + [Attribute(Key.errorType, reason)], count))
        }
        queued.append(NumberPoint(attributes, one.queued))
        if let limit = one.queueCapacity { capacity.append(NumberPoint(attributes, limit)) }
      }
      metrics.add(
        MetricDescriptor(
          "otel.sdk.exporter.\(item).exported", unit: unit,
          "What an exporter has finished with, taken by a receiver or (error.type) not."),
        .counter, exported)
      metrics.add(
        MetricDescriptor(
          "otel.sdk.processor.\(item).queue.size", unit: unit, "What waits for export."),
        .upDown, queued)
      metrics.add(
        MetricDescriptor(
          "otel.sdk.processor.\(item).queue.capacity", unit: unit, "How much may wait."),
        .upDown, capacity)
    }
  }

  /// What a signal's items are called. The convention has no words yet for those of profiles.
  private static func item(_ signal: TelemetrySignal) -> (name: String, unit: String) {
    switch signal {
    case .traces: ("span", "{span}")
    case .metrics: ("metric_data_point", "{data_point}")
    case .logs: ("log", "{log_record}")
    case .profiles: ("profile_sample", "{sample}")
    }
  }
}
