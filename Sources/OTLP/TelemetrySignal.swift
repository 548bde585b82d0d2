/// The kinds of telemetry that OpenTelemetry's protocol carries.
public enum TelemetrySignal: String, Sendable, Hashable, CaseIterable {
  /// Spans.
  case traces
  /// Data points.
  case metrics
  /// Log records.
  case logs
  /// Samples with stacks; in development, as the path says.
  case profiles

  /// Where a receiver takes it over HTTP, below its base address.
  public var path: String {
    switch self {
    case .traces: "v1/traces"
    case .metrics: "v1/metrics"
    case .logs: "v1/logs"
    case .profiles: "v1development/profiles"
    }
  }
}
