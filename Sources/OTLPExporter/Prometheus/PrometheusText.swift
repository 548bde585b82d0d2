public import OTLP

/// Metrics in Prometheus's text format, version 0.0.4.
///
/// Metrics have to be cumulative: what is a difference has no place in a scrape and is left out and
/// counted.
public struct PrometheusText {
  typealias Request = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest

  /// The media type of the format.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// The lines of one metric: Prometheus wants them together, under one description.
  private struct Family {
    var type: String
    var help: String
    var lines: [String] = []
    var series: Set<String> = []
  }

  private var families: [String: Family] = [:]
  private var order: [String] = []
  private var skipped = 0

  /// The page for the metrics among exports, which are all of one moment, and the points that it cannot
  /// show.
  public static func page(of exports: [TelemetryExport]) -> (text: String, skipped: Int) {
    var all = Request()
    for export in exports {
      if case .metrics(let request) = export.message {
        all.resourceMetrics += request.resourceMetrics
      }
    }
    return page(all)
  }

  /// The page for a snapshot, and the points of it that the page cannot show.
  static func page(_ request: Request) -> (text: String, skipped: Int) {
    var writer = PrometheusText()
    let resources = request.resourceMetrics.map { resourceLabels($0.resource.attributes) }
    // What all resources share is said once; what tells them apart is said of each series.
    let shared = resources.dropFirst().reduce(resources.first ?? [:]) { shared, other in
      shared.filter { other[$0.key] == $0.value }
    }
    if !shared.isEmpty {
      writer.add("target_info", "gauge", "Target metadata", "target_info", shared, "1")
    }
    for (index, resource) in request.resourceMetrics.enumerated() {
      let own = resources[index].filter { shared[$0.key] == nil }
      for scope in resource.scopeMetrics {
        var labels = own
        if !scope.scope.name.isEmpty { labels["otel_scope_name"] = scope.scope.name }
        if !scope.scope.version.isEmpty { labels["otel_scope_version"] = scope.scope.version }
        for metric in scope.metrics { writer.add(metric, labels) }
      }
    }
    return (writer.text, writer.skipped)
  }

  private var text: String {
    var result = ""
    for name in order {
      guard let family = families[name] else { continue }
      if !family.help.isEmpty { result += "# HELP \(name) \(PrometheusText.help(family.help))\n" }
      result += "# TYPE \(name) \(family.type)\n"
      for line in family.lines { result += line + "\n" }
    }
    return result
  }

  /// Adds a line to a family. A second type under one name, or a second value of one series, would
  /// make the whole page unreadable, so those are left out.
  private mutating func add(
    _ family: String, _ type: String, _ help: String, _ name: String, _ labels: [String: String],
    _ value: String
  ) {
    if families[family] == nil {
      families[family] = Family(type: type, help: help)
      order.append(family)
    }
    let series = name + PrometheusText.labels(labels)
    guard families[family]?.type == type, families[family]?.series.insert(series).inserted == true
    else {
      skipped += 1
      return
    }
    families[family]?.lines.append("\(series) \(value)")
  }
}

// MARK: - One metric

extension PrometheusText {
  private mutating func add(
    _ metric: Opentelemetry_Proto_Metrics_V1_Metric, _ labels: [String: String]
  ) {
    switch metric.data {
    case .gauge(let gauge): numbers(metric, gauge.dataPoints, .gauge, labels)
    case .sum(let sum):
      guard sum.aggregationTemporality == .cumulative else { return skip(sum.dataPoints) }
      numbers(metric, sum.dataPoints, sum.isMonotonic ? .counter : .gauge, labels)
    case .histogram(let histogram):
      guard histogram.aggregationTemporality == .cumulative else {
        return skip(histogram.dataPoints)
      }
      for point in histogram.dataPoints where !hasNoValue(point.flags) {
        guard
          point.bucketCounts.count == point.explicitBounds.count + 1 || point.bucketCounts.isEmpty
        else {
          skipped += 1
          continue
        }
        let buckets = zip(point.explicitBounds, point.bucketCounts).map { ($0, $1) }
        add(
          metric, PrometheusText.merged(labels, point.attributes), buckets, count: point.count,
          sum: point.hasSum ? point.sum : nil)
      }
    case .exponentialHistogram(let histogram):
      guard histogram.aggregationTemporality == .cumulative else {
        return skip(histogram.dataPoints)
      }
      for point in histogram.dataPoints where !hasNoValue(point.flags) {
        add(
          metric, PrometheusText.merged(labels, point.attributes),
          ExponentialBuckets.classic(point), count: point.count, sum: point.hasSum ? point.sum : nil
        )
      }
    case .summary(let summary):
      let name = PrometheusName.metric(metric.name, unit: metric.unit, kind: .summary)
      for point in summary.dataPoints where !hasNoValue(point.flags) {
        let own = PrometheusText.merged(labels, point.attributes)
        for quantile in point.quantileValues {
          var labels = own
          labels["quantile"] = PrometheusText.number(quantile.quantile)
          add(
            name, "summary", metric.description_p, name, labels,
            PrometheusText.number(quantile.value))
        }
        add(
          name, "summary", metric.description_p, name + "_sum", own,
          PrometheusText.number(point.sum))
        add(name, "summary", metric.description_p, name + "_count", own, "\(point.count)")
      }
    case nil: break
    }
  }

  private mutating func skip<Point>(_ points: [Point]) { skipped += points.count }

  private func hasNoValue(_ flags: UInt32) -> Bool {
    flags & UInt32(Opentelemetry_Proto_Metrics_V1_DataPointFlags.noRecordedValueMask.rawValue) != 0
  }

  private mutating func numbers(
    _ metric: Opentelemetry_Proto_Metrics_V1_Metric,
    _ points: [Opentelemetry_Proto_Metrics_V1_NumberDataPoint], _ kind: PrometheusName.Kind,
    _ labels: [String: String]
  ) {
    let name = PrometheusName.metric(metric.name, unit: metric.unit, kind: kind)
    for point in points where !hasNoValue(point.flags) {
      let value: String
      switch point.value {
      case .asInt(let number): value = "\(number)"
      case .asDouble(let number): value = PrometheusText.number(number)
      case nil: continue
      }
      add(
        name, kind == .counter ? "counter" : "gauge", metric.description_p, name,
        PrometheusText.merged(labels, point.attributes), value)
    }
  }

  /// - Parameter buckets: upper bounds, ascending, and the values in each bucket alone.
  private mutating func add(
    _ metric: Opentelemetry_Proto_Metrics_V1_Metric, _ labels: [String: String],
    _ buckets: [(Double, UInt64)], count: UInt64, sum: Double?
  ) {
    let name = PrometheusName.metric(metric.name, unit: metric.unit, kind: .histogram)
    let help = metric.description_p
    var total: UInt64 = 0
    for (bound, values) in buckets where bound.isFinite {
      total = total.addingReportingOverflow(values).partialValue
      var labels = labels
      labels["le"] = PrometheusText.number(bound)
      add(name, "histogram", help, name + "_bucket", labels, "\(min(total, count))")
    }
    var last = labels
    last["le"] = "+Inf"
    add(name, "histogram", help, name + "_bucket", last, "\(count)")
    if let sum { add(name, "histogram", help, name + "_sum", labels, PrometheusText.number(sum)) }
    add(name, "histogram", help, name + "_count", labels, "\(count)")
  }
}

// MARK: - Text

extension PrometheusText {
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return "\(value)"
  }

  private static func help(_ text: String) -> String { escaped(text, quotes: false) }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func labels(_ labels: [String: String]) -> String {
    if labels.isEmpty { return "" }
    let members = labels.sorted { $0.key < $1.key }
      .map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }
    return "{\(members.joined(separator: ","))}"
  }

  /// Labels with a point's own. Keys that become the same name share it, in the keys' order, as the
  /// specification says; reserved names of the format are not overwritten.
  private static func merged(
    _ labels: [String: String], _ attributes: [Opentelemetry_Proto_Common_V1_KeyValue]
  ) -> [String: String] {
    var own: [String: String] = [:]
    for attribute in attributes.sorted(by: { $0.key < $1.key }) {
      var name = PrometheusName.label(attribute.key)
      if ["le", "quantile"].contains(name) { name = "key_" + name }
      let value = text(attribute.value)
      own[name] = own[name].map { "\($0);\(value)" } ?? value
    }
    return labels.merging(own) { _, point in point }
  }

  private static func resourceLabels(
    _ attributes: [Opentelemetry_Proto_Common_V1_KeyValue]
  ) -> [String: String] {
    merged([:], attributes)
  }

  /// A value as text; lists as JSON writes them.
  private static func text(
    _ value: Opentelemetry_Proto_Common_V1_AnyValue, depth: Int = 0
  ) -> String {
    switch value.value {
    case .stringValue(let text): return text
    case .boolValue(let flag): return "\(flag)"
    case .intValue(let number): return "\(number)"
    case .doubleValue(let number): return PrometheusText.number(number)
    case .arrayValue(let list) where depth < 4:
      let members = list.values.map { member in
        if case .stringValue(let text) = member.value {
          return "\"\(escaped(text, quotes: true))\""
        }
        return text(member, depth: depth + 1)
      }
      return "[\(members.joined(separator: ","))]"
    default: return ""
    }
  }
}
