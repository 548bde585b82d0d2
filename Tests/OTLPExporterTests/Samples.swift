import OTLP
import SwiftProtobuf

/// Requests whose items can be told apart.
enum Samples {
  /// Spans whose ids are the numbers of a range.
  static func spans(_ ids: Range<Int>, padding: Int = 0) -> TelemetryExport {
    var scope = Opentelemetry_Proto_Trace_V1_ScopeSpans()
    scope.spans = ids.map { id in
      var span = Opentelemetry_Proto_Trace_V1_Span()
      span.traceID = .init(bytes(id, count: 16))
      span.spanID = .init(bytes(id, count: 8))
      span.name = "span " + String(repeating: "x", count: padding)
      span.kind = .client
      span.startTimeUnixNano = 1
      span.endTimeUnixNano = 2
      return span
    }
    var resource = Opentelemetry_Proto_Trace_V1_ResourceSpans()
    resource.scopeSpans = [scope]
    var request = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest()
    request.resourceSpans = [resource]
    return TelemetryExport(.traces(request))
  }

  /// What the receiver's decoder calls a span of ``spans(_:padding:)``.
  static func spanID(_ id: Int) -> String {
    let digits = String(id, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Log records whose bodies are the numbers of a range.
  static func logs(_ ids: Range<Int>) -> TelemetryExport {
    var scope = Opentelemetry_Proto_Logs_V1_ScopeLogs()
    scope.logRecords = ids.map { id in
      var record = Opentelemetry_Proto_Logs_V1_LogRecord()
      record.body.stringValue = "\(id)"
      record.timeUnixNano = UInt64(id)
      return record
    }
    var resource = Opentelemetry_Proto_Logs_V1_ResourceLogs()
    resource.scopeLogs = [scope]
    var request = Opentelemetry_Proto_Collector_Logs_V1_ExportLogsServiceRequest()
    request.resourceLogs = [resource]
    return TelemetryExport(.logs(request))
  }

  /// One counter whose points' times are the numbers of a range.
  static func points(_ times: Range<Int>) -> TelemetryExport {
    var metric = Opentelemetry_Proto_Metrics_V1_Metric()
    metric.name = "requests"
    metric.sum.isMonotonic = true
    metric.sum.aggregationTemporality = .cumulative
    metric.sum.dataPoints = times.map { time in
      var point = Opentelemetry_Proto_Metrics_V1_NumberDataPoint()
      point.timeUnixNano = UInt64(time)
      point.asInt = Int64(time)
      return point
    }
    var scope = Opentelemetry_Proto_Metrics_V1_ScopeMetrics()
    scope.metrics = [metric]
    var resource = Opentelemetry_Proto_Metrics_V1_ResourceMetrics()
    resource.scopeMetrics = [scope]
    var request = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest()
    request.resourceMetrics = [resource]
    return TelemetryExport(.metrics(request))
  }

  /// One profile: sample i has a stack of its own function and one they share, and the value i.
  static func profile(samples count: Int) -> TelemetryExport {
    var dictionary = Opentelemetry_Proto_Profiles_V1development_ProfilesDictionary()
    dictionary.stringTable = ["", "samples", "count", "main"]
    dictionary.mappingTable = [.init()]
    dictionary.linkTable = [.init()]
    dictionary.attributeTable = [.init()]
    dictionary.stackTable = [.init()]
    dictionary.functionTable = [.init(), .with { $0.nameStrindex = 3 }]
    dictionary.locationTable = [
      .init(), .with { $0.lines = [.with { $0.functionIndex = 1 }] },
    ]
    var profile = Opentelemetry_Proto_Profiles_V1development_Profile()
    profile.sampleType.typeStrindex = 1
    profile.sampleType.unitStrindex = 2
    for id in 0..<count {
      let next = Int32(id)
      dictionary.stringTable.append("function \(id)")
      dictionary.functionTable.append(.with { $0.nameStrindex = 4 + next })
      dictionary.locationTable.append(.with { $0.lines = [.with { $0.functionIndex = 2 + next }] })
      dictionary.stackTable.append(.with { $0.locationIndices = [2 + next, 1] })
      profile.samples.append(
        .with {
          $0.stackIndex = 1 + next
          $0.values = [Int64(id)]
        })
    }
    var scope = Opentelemetry_Proto_Profiles_V1development_ScopeProfiles()
    scope.profiles = [profile]
    var resource = Opentelemetry_Proto_Profiles_V1development_ResourceProfiles()
    resource.scopeProfiles = [scope]
    var request =
      Opentelemetry_Proto_Collector_Profiles_V1development_ExportProfilesServiceRequest()
    request.resourceProfiles = [resource]
    request.dictionary = dictionary
    return TelemetryExport(.profiles(request))
  }

  private static func bytes(_ id: Int, count: Int) -> [UInt8] {
    (0..<count).reversed().map { $0 < 8 ? UInt8(truncatingIfNeeded: id >> (8 * $0)) : 0 }
  }
}
