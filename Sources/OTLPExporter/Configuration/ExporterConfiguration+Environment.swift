internal import EBPFSystem
internal import OTLP

extension ExporterConfiguration {
  /// What the variables of this process say, see ``init(environment:)``.
  public static func fromEnvironment() throws(ExporterError) -> ExporterConfiguration {
    try ExporterConfiguration(environment: ProcessEnvironment.variables)
  }

  /// Reads the variables of OpenTelemetry's specification; a signal's own variable comes before the
  /// general one. `_PROFILES_` variables, which the specification has not yet, work by analogy.
  ///
  /// An empty value counts as none. A value without meaning keeps the default and adds to
  /// ``warnings``; what would send telemetry to the wrong place is an error.
  public init(environment: [String: String]) throws(ExporterError) {
    self.init()
    var reader = EnvironmentReader(environment)
    isDisabled = reader.boolean("OTEL_SDK_DISABLED") ?? false
    for signal in TelemetrySignal.allCases {
      self[signal] = try ExporterConfiguration.signal(signal, self[signal], &reader)
    }
    if let delay = reader.duration("OTEL_BSP_SCHEDULE_DELAY") {
      batching.scheduleDelay = delay.limit ?? .zero
    }
    if let time = reader.duration("OTEL_BSP_EXPORT_TIMEOUT") { batching.exportTimeout = time.limit }
    batching.maximumQueueSize = reader.integer("OTEL_BSP_MAX_QUEUE_SIZE", 1...Int(Int32.max))
    if let size = reader.integer("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1...Int(Int32.max)) {
      batching.maximumBatchSize = size
    }
    if let queue = batching.maximumQueueSize, queue < batching.maximumBatchSize {
      batching.maximumBatchSize = queue
    }
    if let interval = reader.integer("OTEL_METRIC_EXPORT_INTERVAL", 1...Int(Int32.max)) {
      metricInterval = .milliseconds(interval)
    }
    if let host = reader.text("OTEL_EXPORTER_PROMETHEUS_HOST") { prometheusHost = host }
    if let port = reader.integer("OTEL_EXPORTER_PROMETHEUS_PORT", 0...65535) {
      prometheusPort = port
    }
    proxies = ProxyEnvironment(environment: environment)
    warnings = reader.warnings
  }

  private static func signal(
    _ signal: TelemetrySignal, _ standard: SignalConfiguration, _ reader: inout EnvironmentReader
  ) throws(ExporterError) -> SignalConfiguration {
    var result = standard
    result.destinations = destinations(signal, &reader) ?? standard.destinations
    if let (name, text) = reader.first("PROTOCOL", signal) {
      if let encoding = Encoding(rawValue: text.lowercased()) {
        result.encoding = encoding
      } else if text.lowercased() == "grpc" {
        // Only an error when the signal is sent at all.
        if result.destinations.contains(.otlp) {
          throw ExporterError(
            .unsupported, "\(name) is 'grpc': OTLP over gRPC is not built in",
            hint: "set \(name)=http/protobuf, and the endpoint to the receiver's HTTP port (4318)")
        }
      } else {
        reader.warn(name, text, "http/protobuf or http/json", kept: standard.encoding.rawValue)
      }
    }
    result.endpoint = try endpoint(signal, standard.endpoint, &reader)
    if let (name, text) = reader.first("HEADERS", signal) {
      let (headers, problems) = HeaderList.parse(text)
      result.headers = headers
      reader.warnings += problems.map { "\(name): \($0); it is left out" }
    }
    if let time = reader.duration(signal, "TIMEOUT") { result.timeout = time.limit }
    if let (name, text) = reader.first("COMPRESSION", signal) {
      if let compression = Compression(rawValue: text.lowercased()) {
        result.compression = compression
      } else {
        reader.warn(name, text, "gzip or none", kept: standard.compression.rawValue)
      }
    }
    result.certificateFile =
      reader.first("CERTIFICATE", signal)?.text ?? reader.text("SSL_CERT_FILE")
    result.clientKeyFile = reader.first("CLIENT_KEY", signal)?.text
    result.clientCertificateFile = reader.first("CLIENT_CERTIFICATE", signal)?.text
    if (result.clientKeyFile == nil) != (result.clientCertificateFile == nil) {
      throw ExporterError(
        .configuration,
        "a client certificate needs both its files, and only one is set for \(signal.rawValue)",
        hint: "set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY")
    }
    return result
  }

  private static func endpoint(
    _ signal: TelemetrySignal, _ standard: Endpoint, _ reader: inout EnvironmentReader
  ) throws(ExporterError) -> Endpoint {
    let own = "OTEL_EXPORTER_OTLP_\(signal.variableName)_ENDPOINT"
    let general = "OTEL_EXPORTER_OTLP_ENDPOINT"
    let insecure = reader.insecure(signal)
    func withScheme(_ text: String) -> String {
      guard let insecure, text.firstRange(of: "://") == nil else { return text }
      return (insecure ? "http://" : "https://") + text
    }
    if let text = reader.text(own) { return try Endpoint(withScheme(text), variable: own) }
    guard let text = reader.text(general) else { return standard }
    return try Endpoint(withScheme(text), variable: general).appending(signal)
  }

  private static func destinations(
    _ signal: TelemetrySignal, _ reader: inout EnvironmentReader
  ) -> [Destination]? {
    let name = "OTEL_\(signal.variableName)_EXPORTER"
    guard let text = reader.text(name) else { return nil }
    var result: [Destination] = []
    for member in text.split(separator: ",").map(\.trimmingSpaces) {
      let destination = Destination(rawValue: member.lowercased())
      guard let destination, destination != .prometheus || signal == .metrics else {
        let known = signal == .metrics ? "otlp, console, prometheus, none" : "otlp, console, none"
        reader.warn(name, String(member), "one of \(known)", kept: "otlp")
        return nil
      }
      if destination == .none { return [] }
      if !result.contains(destination) { result.append(destination) }
    }
    return result.isEmpty ? nil : result
  }
}
