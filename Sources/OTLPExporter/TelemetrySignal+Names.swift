internal import OTLP

extension TelemetrySignal {
  /// How environment variables name it: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
  var variableName: String { rawValue.uppercased() }
}
