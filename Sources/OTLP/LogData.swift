internal import OTLPMessages

/// Something that happened at a moment.
public struct LogData: Sendable, Hashable {
  /// How bad it is.
  public enum Severity: Sendable, Hashable {
    /// Good to know.
    case information
    /// Something is missing or may go wrong.
    case warning
    /// Something went wrong.
    case error
  }

  /// When it happened, in nanoseconds since 1970.
  public var time: UInt64
  /// When that became known here.
  public var observedTime: UInt64
  /// How bad it is.
  public var severity: Severity
  /// Which kind of event it is, in one of few words; empty for none.
  public var eventName: String
  /// What happened, for a person.
  public var body: String
  /// What is known about it.
  public var attributes: [Attribute]

  /// Creates a log record.
  public init(
    time: UInt64, observedTime: UInt64, severity: Severity, eventName: String = "", body: String,
    attributes: [Attribute] = []
  ) {
    self.time = time
    self.observedTime = observedTime
    self.severity = severity
    self.eventName = eventName
    self.body = body
    self.attributes = attributes
  }

  var message: Opentelemetry_Proto_Logs_V1_LogRecord {
    var message = Opentelemetry_Proto_Logs_V1_LogRecord()
    message.timeUnixNano = time
    message.observedTimeUnixNano = observedTime
    switch severity {
    case .information: (message.severityNumber, message.severityText) = (.info, "INFO")
    case .warning: (message.severityNumber, message.severityText) = (.warn, "WARN")
    case .error: (message.severityNumber, message.severityText) = (.error, "ERROR")
    }
    message.eventName = eventName
    message.body = AttributeValue.string(body).message
    message.attributes = attributes.map(\.message)
    return message
  }
}

extension TelemetryExport {
  /// A request with log records of one resource and scope.
  public init(_ records: [LogData], resource: Resource, scope: Scope) {
    var scoped = Opentelemetry_Proto_Logs_V1_ScopeLogs()
    scoped.scope = scope.message
    scoped.schemaURL = scope.schemaURL
    scoped.logRecords = records.map(\.message)
    var owned = Opentelemetry_Proto_Logs_V1_ResourceLogs()
    owned.resource = resource.message
    owned.schemaURL = resource.schemaURL
    owned.scopeLogs = [scoped]
    var request = Opentelemetry_Proto_Collector_Logs_V1_ExportLogsServiceRequest()
    request.resourceLogs = [owned]
    self.init(.logs(request))
  }
}
