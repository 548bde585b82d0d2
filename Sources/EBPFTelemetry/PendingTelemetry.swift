internal import EBPFSystem
internal import EBPFTracers
internal import OTLP
internal import Profiles

/// Spans and log records that wait for the next collection, and the account of them.
struct PendingTelemetry: Sendable {
  let options: TelemetryOptions
  var statistics = ConversionStatistics()
  /// By what their process says of itself, which for most is nothing.
  private var spans: [(own: [Profile.Attribute], spans: [SpanData])] = []
  private var places: [[Profile.Attribute]: Int] = [:]
  private var spanCount = 0
  private var records: [LogData] = []
  private var generator = SystemRandomNumberGenerator()

  init(_ options: TelemetryOptions) { self.options = options }

  /// An empty list of attributes.
  var attributes: AttributeList { AttributeList(limit: options.attributeLengthLimit) }

  /// Adds a trace of one span, which a process had to do with.
  mutating func addSpan(
    _ name: String, _ kind: SpanData.Kind, from start: UInt64, to end: UInt64,
    _ list: AttributeList, process: Int32?, within parent: Profile.Span? = nil,
    failure: String? = nil
  ) {
    guard spanCount < options.pendingLimit else { return statistics.drop(.pendingLimit) }
    spanCount += 1
    statistics.spans += 1
    statistics.truncated += list.truncated
    let own = process.flatMap { options.processes?.resource(of: $0) } ?? []
    if places[own] == nil {
      places[own] = spans.count
      spans.append((own, []))
    }
    spans[places[own, default: 0]].spans.append(
      SpanData(
        traceID: parent.flatMap { TraceID(high: $0.traceHigh, low: $0.traceLow) }
          ?? .random(using: &generator),
        spanID: .random(using: &generator), parentID: parent.flatMap { SpanID($0.spanID) },
        name: name, kind: kind, start: start, end: max(start, end), attributes: list.attributes,
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

  /// What is observed, as a process describes itself.
  private mutating func resource(_ own: [Profile.Attribute]) -> Resource {
    var list = attributes
    list.add(own)
    statistics.truncated += list.truncated
    return options.observed.withoutService.merging(list.attributes)
  }

  /// What waited, and metrics if there are any, as requests.
  mutating func take(_ metrics: MetricBatch? = nil) -> [TelemetryExport] {
    defer {
      spans = []
      places = [:]
      spanCount = 0
      records = []
    }
    var exports: [TelemetryExport] = []
    if !spans.isEmpty {
      let groups = spans.map { ($0.spans, $0.own.isEmpty ? options.observed : resource($0.own)) }
      exports.append(TelemetryExport(groups, scope: options.scope))
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
