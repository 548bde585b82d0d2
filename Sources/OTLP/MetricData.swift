internal import OTLPMessages

/// What a metric is called, and what its numbers are.
public struct MetricDescriptor: Sendable, Hashable {
  /// Its name: `process.network.io`.
  public var name: String
  /// The unit, in UCUM: `By`, `s`, `{call}`.
  public var unit: String
  /// What it counts, in a sentence.
  public var text: String

  /// Creates a descriptor.
  public init(_ name: String, unit: String, _ text: String) {
    self.name = name
    self.unit = unit
    self.text = text
  }
}

/// A number of a metric.
public enum MetricValue: Sendable, Hashable {
  /// A whole number.
  case integer(Int64)
  /// A number.
  case double(Double)
}

/// One number, and what tells it from others of its metric.
public struct NumberPoint: Sendable, Hashable {
  /// What tells it from others.
  public var attributes: [Attribute]
  /// The number.
  public var value: MetricValue
  /// Since when a sum counts, in nanoseconds since 1970, where that is not as for others; nil for as
  /// for others.
  public var start: UInt64?

  /// Creates a point.
  public init(_ attributes: [Attribute], _ value: MetricValue, start: UInt64? = nil) {
    self.attributes = attributes
    self.value = value
    self.start = start
  }

  /// Creates a point of a count.
  public init(_ attributes: [Attribute], _ count: some BinaryInteger, start: UInt64? = nil) {
    self.init(attributes, .integer(Int64(clamping: count)), start: start)
  }
}

/// One distribution, and what tells it from others of its metric.
public struct HistogramPoint: Sendable, Hashable {
  /// What tells it from others.
  public var attributes: [Attribute]
  /// The distribution.
  public var histogram: ExponentialHistogram

  /// Creates a point.
  public init(_ attributes: [Attribute], _ histogram: ExponentialHistogram) {
    self.attributes = attributes
    self.histogram = histogram
  }
}

/// Metrics of one resource and scope, as they are at one moment. Sums and histograms are cumulative:
/// they count from ``start`` on.
public struct MetricBatch: Sendable {
  /// What a sum does.
  public enum Sum: Sendable, Hashable {
    /// It only grows.
    case counter
    /// It goes up and down.
    case upDown
  }

  /// When counting began, in nanoseconds since 1970.
  public let start: UInt64
  /// The moment.
  public let time: UInt64
  private var metrics: [Opentelemetry_Proto_Metrics_V1_Metric] = []

  /// An empty batch.
  public init(start: UInt64, time: UInt64) {
    self.start = start
    self.time = time
  }

  /// Adds a sum; without points nothing.
  public mutating func add(_ descriptor: MetricDescriptor, _ kind: Sum, _ points: [NumberPoint]) {
    guard !points.isEmpty else { return }
    var metric = descriptor.message
    metric.sum.aggregationTemporality = .cumulative
    metric.sum.isMonotonic = kind == .counter
    metric.sum.dataPoints = points.map { message($0, start: start) }
    metrics.append(metric)
  }

  /// Adds present values; without points nothing.
  public mutating func add(gauge descriptor: MetricDescriptor, _ points: [NumberPoint]) {
    guard !points.isEmpty else { return }
    var metric = descriptor.message
    metric.gauge.dataPoints = points.map { message($0, start: 0) }
    metrics.append(metric)
  }

  /// Adds distributions; without points nothing.
  public mutating func add(_ descriptor: MetricDescriptor, _ points: [HistogramPoint]) {
    guard !points.isEmpty else { return }
    var metric = descriptor.message
    metric.exponentialHistogram.aggregationTemporality = .cumulative
    metric.exponentialHistogram.dataPoints = points.map(message)
    metrics.append(metric)
  }

  /// The request; nil when nothing was added.
  public func export(resource: Resource, scope: Scope) -> TelemetryExport? {
    guard !metrics.isEmpty else { return nil }
    var scoped = Opentelemetry_Proto_Metrics_V1_ScopeMetrics()
    scoped.scope = scope.message
    scoped.schemaURL = scope.schemaURL
    scoped.metrics = metrics
    var owned = Opentelemetry_Proto_Metrics_V1_ResourceMetrics()
    owned.resource = resource.message
    owned.schemaURL = resource.schemaURL
    owned.scopeMetrics = [scoped]
    var request = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest()
    request.resourceMetrics = [owned]
    return TelemetryExport(.metrics(request))
  }

  private func message(
    _ point: NumberPoint, start: UInt64
  ) -> Opentelemetry_Proto_Metrics_V1_NumberDataPoint {
    var message = Opentelemetry_Proto_Metrics_V1_NumberDataPoint()
    message.attributes = point.attributes.map(\.message)
    message.startTimeUnixNano = point.start ?? start
    message.timeUnixNano = time
    switch point.value {
    case .integer(let number): message.asInt = number
    case .double(let number): message.asDouble = number
    }
    return message
  }

  private func message(
    _ point: HistogramPoint
  ) -> Opentelemetry_Proto_Metrics_V1_ExponentialHistogramDataPoint {
    var message = Opentelemetry_Proto_Metrics_V1_ExponentialHistogramDataPoint()
    message.attributes = point.attributes.map(\.message)
    message.startTimeUnixNano = start
    message.timeUnixNano = time
    let histogram = point.histogram
    message.count = histogram.count
    message.sum = histogram.sum
    let dense = histogram.dense
    message.scale = Int32(clamping: dense.scale)
    message.zeroCount = histogram.zeroCount
    message.zeroThreshold = histogram.zeroThreshold
    message.positive.offset = Int32(clamping: dense.offset)
    message.positive.bucketCounts = dense.counts
    if histogram.count > 0, let maximum = histogram.maximum { message.max = maximum }
    return message
  }
}

extension MetricDescriptor {
  var message: Opentelemetry_Proto_Metrics_V1_Metric {
    var message = Opentelemetry_Proto_Metrics_V1_Metric()
    message.name = name
    message.unit = unit
    message.description_p = text
    return message
  }
}
