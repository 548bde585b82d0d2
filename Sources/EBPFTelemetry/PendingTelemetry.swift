internal import EBPFSystem
internal import EBPFTracers
internal import OTLP

/// Spans and log records that wait for the next collection, and the account of them.
struct PendingTelemetry: Sendable {
  let options: TelemetryOptions
  var statistics = ConversionStatistics()
  private var spans: [SpanData] = []
  private var records: [LogData] = []
  private var generator = SystemRandomNumberGenerator()

  init(_ options: TelemetryOptions) { self.options = options }

  /// An empty list of attributes.
  var attributes: AttributeList { AttributeList(limit: options.attributeLengthLimit) }

  /// Adds a trace of one span.
  mutating func addSpan(
    _ name: String, _ kind: SpanData.Kind, from start: UInt64, to end: UInt64,
    _ list: AttributeList, failure: String? = nil
  ) {
    guard spans.count < options.pendingLimit else { return statistics.drop(.pendingLimit) }
    statistics.spans += 1
    statistics.truncated += list.truncated
    spans.append(
      SpanData(
        traceID: .random(using: &generator), spanID: .random(using: &generator), name: name,
        kind: kind, start: start, end: max(start, end), attributes: list.attributes,
        failure: failure))
  }

  /// Adds a log record.
  mutating func addRecord(
    _ event: String, _ severity: LogData.Severity, at time: UInt64, observed: UInt64,
    _ body: String, _ list: AttributeList
  ) {
    guard records.count < options.pendingLimit else { return statistics.drop(.pendingLimit) }
    statistics.logRecords += 1
    statistics.truncated += list.truncated
    records.append(
      LogData(
        time: time, observedTime: observed, severity: severity, eventName: event, body: body,
        attributes: list.attributes))
  }

  /// What waited, and metrics if there are any, as requests.
  mutating func take(_ metrics: MetricBatch? = nil) -> [TelemetryExport] {
    defer {
      spans = []
      records = []
    }
    var exports: [TelemetryExport] = []
    if !spans.isEmpty {
      exports.append(TelemetryExport(spans, resource: options.observed, scope: options.scope))
    }
    if let export = metrics?.export(resource: options.observed, scope: options.scope) {
      statistics.dataPoints += UInt64(export.itemCount)
      exports.append(export)
    }
    if !records.isEmpty {
      exports.append(TelemetryExport(records, resource: options.observed, scope: options.scope))
    }
    return exports
  }
}

extension AttributeList {
  /// The container of a control group.
  mutating func add(container cgroup: UInt64?, _ directory: CgroupDirectory?) {
    guard let cgroup, cgroup != 0, let container = directory?.place(of: cgroup)?.container else {
      return
    }
    add(container)
  }

  mutating func add(_ container: ContainerIdentity) {
    add(Key.containerID, container.id)
    if container.runtime != .unknown { add(Key.containerRuntime, container.runtime.rawValue) }
    add(Key.podUID, container.podUID)
  }
}

/// The tracers' clock on the calendar. The distance is measured again now and then, because the wall
/// clock is set and slewed.
struct MonotonicTime: Sendable {
  private var offset = Clock.monotonic.wallOffset

  mutating func measure() { offset = Clock.monotonic.wallOffset }

  /// Nanoseconds since 1970.
  func unix(_ monotonic: UInt64) -> UInt64 {
    UInt64(clamping: Int64(clamping: monotonic).addingReportingOverflow(offset).partialValue)
  }
}
