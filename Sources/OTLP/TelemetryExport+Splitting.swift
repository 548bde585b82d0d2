extension TelemetryExport {
  /// Two halves with all items between them; nil when there is nothing to divide.
  ///
  /// Resources are kept together first, then scopes, then metrics and profiles. The halves of profiles
  /// have dictionaries of their own, with what they use.
  public func split() -> (TelemetryExport, TelemetryExport)? {
    switch message {
    case .traces(let request):
      return halves(request, \.resourceSpans) { resource in
        halves(resource, \.scopeSpans) { scope in halves(scope, \.spans) { _ in nil } }
      }.map { (TelemetryExport(.traces($0)), TelemetryExport(.traces($1))) }
    case .logs(let request):
      return halves(request, \.resourceLogs) { resource in
        halves(resource, \.scopeLogs) { scope in halves(scope, \.logRecords) { _ in nil } }
      }.map { (TelemetryExport(.logs($0)), TelemetryExport(.logs($1))) }
    case .metrics(let request):
      return halves(request, \.resourceMetrics) { resource in
        halves(resource, \.scopeMetrics) { scope in halves(scope, \.metrics, inside: halves) }
      }.map { (TelemetryExport(.metrics($0)), TelemetryExport(.metrics($1))) }
    case .profiles(let request):
      return halves(request, \.resourceProfiles) { resource in
        halves(resource, \.scopeProfiles) { scope in
          halves(scope, \.profiles) { profile in halves(profile, \.samples) { _ in nil } }
        }
      }.map { first, second in
        (
          TelemetryExport(.profiles(ProfileDictionaryUse.compacted(first))),
          TelemetryExport(.profiles(ProfileDictionaryUse.compacted(second)))
        )
      }
    }
  }
}

/// Two values that share a list's elements; a single element is divided itself.
private func halves<Root, Element>(
  _ root: Root, _ list: WritableKeyPath<Root, [Element]>,
  inside: (Element) -> (Element, Element)?
) -> (Root, Root)? {
  let elements = root[keyPath: list]
  var first = root
  var second = root
  if elements.count > 1 {
    let middle = elements.count / 2
    first[keyPath: list] = Array(elements[..<middle])
    second[keyPath: list] = Array(elements[middle...])
    return (first, second)
  }
  guard let only = elements.first, let (left, right) = inside(only) else { return nil }
  first[keyPath: list] = [left]
  second[keyPath: list] = [right]
  return (first, second)
}

/// A metric's points, divided.
private func halves(
  _ metric: Opentelemetry_Proto_Metrics_V1_Metric
) -> (Opentelemetry_Proto_Metrics_V1_Metric, Opentelemetry_Proto_Metrics_V1_Metric)? {
  switch metric.data {
  case .gauge: halves(metric, \.gauge.dataPoints) { _ in nil }
  case .sum: halves(metric, \.sum.dataPoints) { _ in nil }
  case .histogram: halves(metric, \.histogram.dataPoints) { _ in nil }
  case .exponentialHistogram: halves(metric, \.exponentialHistogram.dataPoints) { _ in nil }
  case .summary: halves(metric, \.summary.dataPoints) { _ in nil }
  case nil: nil
  }
}
