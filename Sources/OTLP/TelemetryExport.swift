public import OTLPMessages
internal import SwiftProtobuf

/// One request of one signal: what a receiver takes at once.
public struct TelemetryExport: Sendable {
  /// The request, as the protocol's schema has it.
  public enum Message: Sendable {
    /// Spans.
    case traces(Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest)
    /// Data points.
    case metrics(Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest)
    /// Log records.
    case logs(Opentelemetry_Proto_Collector_Logs_V1_ExportLogsServiceRequest)
    /// Samples.
    case profiles(
      Opentelemetry_Proto_Collector_Profiles_V1development_ExportProfilesServiceRequest)
  }

  /// The request.
  public var message: Message

  /// Takes a request.
  public init(_ message: Message) { self.message = message }

  /// What the request carries.
  public var signal: TelemetrySignal {
    switch message {
    case .traces: .traces
    case .metrics: .metrics
    case .logs: .logs
    case .profiles: .profiles
    }
  }

  /// How many spans, data points, log records or samples there are.
  public var itemCount: Int {
    switch message {
    case .traces(let request):
      request.resourceSpans.reduce(0) { sum, resource in
        resource.scopeSpans.reduce(sum) { $0 + $1.spans.count }
      }
    case .metrics(let request):
      request.resourceMetrics.reduce(0) { sum, resource in
        resource.scopeMetrics.reduce(sum) { sum, scope in
          scope.metrics.reduce(sum) { $0 + $1.pointCount }
        }
      }
    case .logs(let request):
      request.resourceLogs.reduce(0) { sum, resource in
        resource.scopeLogs.reduce(sum) { $0 + $1.logRecords.count }
      }
    case .profiles(let request):
      request.resourceProfiles.reduce(0) { sum, resource in
        resource.scopeProfiles.reduce(sum) { sum, scope in
          scope.profiles.reduce(sum) { $0 + $1.samples.count }
        }
      }
    }
  }

  /// The request as a protocol buffer.
  public func protobuf() throws(OTLPError) -> [UInt8] {
    do { return try plainMessage.serializedBytes() } catch {
      throw OTLPError("the \(signal.rawValue) do not fit into a protocol buffer: \(error)")
    }
  }

  /// The request as the protocol's JSON, on one line that has no end of line.
  ///
  /// The same as protocol buffers' JSON, but identifiers are hexadecimal and enumerations numbers
  /// (OTLP specification, "JSON Protobuf Encoding").
  public func json() throws(OTLPError) -> [UInt8] {
    var options = JSONEncodingOptions()
    options.alwaysPrintEnumsAsInts = true
    let bytes: [UInt8]
    do { bytes = try plainMessage.jsonUTF8Bytes(options: options) } catch {
      throw OTLPError("the \(signal.rawValue) do not fit into JSON: \(error)")
    }
    return try IdentifierRewriter.rewrite(bytes)
  }

  private var plainMessage: any SwiftProtobuf.Message {
    switch message {
    case .traces(let request): request
    case .metrics(let request): request
    case .logs(let request): request
    case .profiles(let request): request
    }
  }
}

extension Opentelemetry_Proto_Metrics_V1_Metric {
  var pointCount: Int {
    switch data {
    case .gauge(let data): data.dataPoints.count
    case .sum(let data): data.dataPoints.count
    case .histogram(let data): data.dataPoints.count
    case .exponentialHistogram(let data): data.dataPoints.count
    case .summary(let data): data.dataPoints.count
    case nil: 0
    }
  }
}
