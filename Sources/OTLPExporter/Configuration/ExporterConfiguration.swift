public import OTLP

/// How each signal is exported, as the `OTEL_…` variables of OpenTelemetry say it.
public struct ExporterConfiguration: Sendable, Hashable {
  /// How bytes are written.
  public enum Encoding: String, Sendable, Hashable {
    /// `http/protobuf`.
    case protobuf = "http/protobuf"
    /// `http/json`.
    case json = "http/json"
  }

  /// How bodies are compressed.
  public enum Compression: String, Sendable, Hashable {
    /// `gzip`.
    case gzip
    /// `none`.
    case none
  }

  /// Where a signal goes.
  public enum Destination: String, Sendable, Hashable {
    /// An OTLP receiver.
    case otlp
    /// Standard output, as lines of OTLP/JSON.
    case console
    /// A Prometheus server that scrapes; for metrics only.
    case prometheus
    /// Nowhere.
    case none
  }

  /// What to export one signal with.
  public struct SignalConfiguration: Sendable, Hashable {
    /// Where it goes, in order; `none` is an empty list.
    public var destinations: [Destination]
    /// The OTLP receiver.
    public var endpoint: Endpoint
    /// Headers of each request.
    public var headers: [Header]
    /// The most time one request may take; nil is no limit.
    public var timeout: Duration?
    /// How bodies are compressed.
    public var compression: Compression
    /// How bytes are written.
    public var encoding: Encoding
    /// A PEM file of the authorities to trust; nil is the system's.
    public var certificateFile: String?
    /// The PEM file of the client's private key.
    public var clientKeyFile: String?
    /// The PEM file of the client's certificate chain.
    public var clientCertificateFile: String?
  }

  /// How spans are batched: the exporter divides what is larger than a batch; who collects spans
  /// keeps the delay.
  public struct BatchConfiguration: Sendable, Hashable {
    /// The longest time a span waits for others before it is given to the exporter.
    public var scheduleDelay: Duration = .seconds(5)
    /// The most time one request of spans may take; nil is no limit.
    public var exportTimeout: Duration? = .seconds(30)
    /// The most spans kept in memory; nil when nothing but the queue's bytes limits them.
    public var maximumQueueSize: Int?
    /// The most spans in one request.
    public var maximumBatchSize = 512
  }

  /// `OTEL_SDK_DISABLED`: nothing is exported.
  public var isDisabled = false
  /// The signals' own settings.
  public var signals: [TelemetrySignal: SignalConfiguration]
  /// How spans are batched.
  public var batching = BatchConfiguration()
  /// Time between two exports of metrics.
  public var metricInterval: Duration = .seconds(60)
  /// The name or address the Prometheus endpoint listens on.
  public var prometheusHost = "localhost"
  /// The port the Prometheus endpoint listens on; 0 takes a free one.
  public var prometheusPort = 9464
  /// The proxies of the environment.
  public var proxies = ProxyEnvironment()
  /// What was set to a value without meaning, one sentence each; the default is kept.
  public var warnings: [String] = []

  /// The settings of one signal.
  public subscript(signal: TelemetrySignal) -> SignalConfiguration {
    get { signals[signal] ?? ExporterConfiguration.standard(signal) }
    set { signals[signal] = newValue }
  }

  /// What the specification sets when no variable is set: a receiver on this machine.
  public init() {
    signals = [:]
    for signal in TelemetrySignal.allCases {
      signals[signal] = ExporterConfiguration.standard(signal)
    }
  }

  private static func standard(_ signal: TelemetrySignal) -> SignalConfiguration {
    let local = Endpoint(isSecure: false, host: "localhost", port: 4318, path: "/")
    return SignalConfiguration(
      destinations: [.otlp], endpoint: local.appending(signal), headers: [], timeout: .seconds(10),
      compression: .none, encoding: .protobuf)
  }
}
