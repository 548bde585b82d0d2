internal import OTLPMessages

/// Something that took time.
public struct SpanData: Sendable, Hashable {
  /// Which side of what happened it is.
  public enum Kind: Sendable, Hashable {
    /// Inside a process or the kernel.
    case `internal`
    /// It asked somebody.
    case client
    /// It was asked.
    case server
  }

  /// The trace it belongs to.
  public var traceID: TraceID
  /// What identifies it there.
  public var spanID: SpanID
  /// What it is part of; nil for a trace's root.
  public var parentID: SpanID?
  /// What happened, in one of few words.
  public var name: String
  /// Which side it is.
  public var kind: Kind
  /// When it began, in nanoseconds since 1970.
  public var start: UInt64
  /// When it ended.
  public var end: UInt64
  /// What is known about it.
  public var attributes: [Attribute]
  /// Why it failed; nil when it did not. Empty says that it did.
  public var failure: String?

  /// Creates a span.
  public init(
    traceID: TraceID, spanID: SpanID, parentID: SpanID? = nil, name: String, kind: Kind,
    start: UInt64, end: UInt64, attributes: [Attribute] = [], failure: String? = nil
  ) {
    self.traceID = traceID
    self.spanID = spanID
    self.parentID = parentID
    self.name = name
    self.kind = kind
    self.start = start
    self.end = end
    self.attributes = attributes
    self.failure = failure
  }

  var message: Opentelemetry_Proto_Trace_V1_Span {
    var message = Opentelemetry_Proto_Trace_V1_Span()
    message.traceID = traceID.data
    message.spanID = spanID.data
    if let parentID { message.parentSpanID = parentID.data }
    message.name = name
    message.kind =
      switch kind {
      case .internal: .internal
      case .client: .client
      case .server: .server
      }
    message.startTimeUnixNano = start
    message.endTimeUnixNano = end
    message.attributes = attributes.map(\.message)
    if let failure {
      message.status.code = .error
      message.status.message = failure
    }
    return message
  }
}

extension TelemetryExport {
  /// A request with spans of one resource and scope.
  public init(_ spans: [SpanData], resource: Resource, scope: Scope) {
    self.init([(spans, resource)], scope: scope)
  }

  /// A request with spans of several resources and one scope.
  public init(_ groups: [(spans: [SpanData], resource: Resource)], scope: Scope) {
    var request = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest()
    for (spans, resource) in groups {
      var scoped = Opentelemetry_Proto_Trace_V1_ScopeSpans()
      scoped.scope = scope.message
      scoped.schemaURL = scope.schemaURL
      scoped.spans = spans.map(\.message)
      var owned = Opentelemetry_Proto_Trace_V1_ResourceSpans()
      owned.resource = resource.message
      owned.schemaURL = resource.schemaURL
      owned.scopeSpans = [scoped]
      request.resourceSpans.append(owned)
    }
    self.init(.traces(request))
  }
}
