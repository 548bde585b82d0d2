internal import OTLP
internal import SwiftProtobuf

/// What a receiver answered, as far as it was read.
struct HTTPAnswer: Sendable, Hashable {
  enum Body: Sendable, Hashable {
    case whole([UInt8])
    /// Longer than any answer of OTLP; the rest was not read.
    case tooLong
    /// The connection ended, or the time, before the body did.
    case cut(String)
  }

  var status: Int
  var retryAfter: String?
  var contentType: String?
  var location: String?
  var body: Body
}

/// What an answer means, by OTLP's specification.
enum OTLPAnswer {
  static func outcome(
    _ answer: HTTPAnswer, signal: TelemetrySignal, wallSeconds: Int64
  ) -> DeliveryOutcome {
    let failure = DeliveryFailure(.status(answer.status), describe(answer))
    switch answer.status {
    case 200...299: return accepted(answer, signal)
    case 300...399:
      let target = answer.location.map { " to '\(printable($0))'" } ?? ""
      return .refused(
        DeliveryFailure(
          .redirect,
          "the receiver redirects\(target): telemetry is not sent there unasked; set the endpoint"))
    case 413: return .tooLarge(DeliveryFailure(.tooLarge, failure.description))
    case 429, 502, 503, 504:
      let wait = answer.retryAfter.flatMap { RetryAfter.parse($0, wallSeconds: wallSeconds) }
      return .retry(failure, after: wait)
    default: return .refused(failure)
    }
  }

  private static func accepted(_ answer: HTTPAnswer, _ signal: TelemetrySignal) -> DeliveryOutcome {
    switch answer.body {
    case .tooLong: return .deliveredUnreadably("the answer is longer than any of OTLP")
    case .cut(let why): return .deliveredUnreadably("the answer was cut short: \(why)")
    case .whole(let bytes) where bytes.isEmpty: return .delivered(rejected: 0, message: "")
    case .whole(let bytes):
      let type = (answer.contentType ?? "").prefix { $0 != ";" }.trimmingSpaces.lowercased()
      do {
        let (rejected, message) =
          switch type {
          case "application/json": try partialSuccess(signal, bytes, isJSON: true)
          case "application/x-protobuf": try partialSuccess(signal, bytes, isJSON: false)
          default: throw Unreadable(type: type)
          }
        guard rejected >= 0 else { throw Unreadable(type: type) }
        return .delivered(rejected: Int(clamping: rejected), message: printable(message))
      } catch {
        let shown = type.isEmpty ? "without a type" : "of type '\(printable(type))'"
        return .deliveredUnreadably("the answer, \(bytes.count) bytes \(shown), is no OTLP")
      }
    }
  }

  private struct Unreadable: Error { var type: String }

  private typealias Traces = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceResponse
  private typealias Metrics =
    Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceResponse
  private typealias Logs = Opentelemetry_Proto_Collector_Logs_V1_ExportLogsServiceResponse
  private typealias Profiles =
    Opentelemetry_Proto_Collector_Profiles_V1development_ExportProfilesServiceResponse

  private static func partialSuccess(
    _ signal: TelemetrySignal, _ bytes: [UInt8], isJSON: Bool
  ) throws -> (Int64, String) {
    switch signal {
    case .traces:
      let success = try decoded(Traces.self, bytes, isJSON).partialSuccess
      return (success.rejectedSpans, success.errorMessage)
    case .metrics:
      let success = try decoded(Metrics.self, bytes, isJSON).partialSuccess
      return (success.rejectedDataPoints, success.errorMessage)
    case .logs:
      let success = try decoded(Logs.self, bytes, isJSON).partialSuccess
      return (success.rejectedLogRecords, success.errorMessage)
    case .profiles:
      let success = try decoded(Profiles.self, bytes, isJSON).partialSuccess
      return (success.rejectedProfiles, success.errorMessage)
    }
  }

  private static func decoded<Answer: SwiftProtobuf.Message>(
    _ type: Answer.Type, _ bytes: [UInt8], _ isJSON: Bool
  ) throws -> Answer {
    guard isJSON else { return try Answer(serializedBytes: bytes) }
    var options = JSONDecodingOptions()
    options.ignoreUnknownFields = true
    return try Answer(jsonUTF8Bytes: bytes, options: options)
  }

  private static func describe(_ answer: HTTPAnswer) -> String {
    guard case .whole(let bytes) = answer.body, !bytes.isEmpty,
      let type = answer.contentType?.lowercased(),
      type.hasPrefix("text/") || type.hasPrefix("application/json")
    else { return "the receiver answers \(answer.status)" }
    return "the receiver answers \(answer.status): "
      + printable(String(decoding: bytes.prefix(400), as: UTF8.self))
  }
}

/// Foreign text that may be logged: one line, not endless.
func printable(_ text: String, limit: Int = 200) -> String {
  let shown = text.unicodeScalars.prefix(limit).map { scalar in
    scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) || scalar.properties.isBidiControl
      ? " " : String(Character(scalar))
  }.joined()
  return text.unicodeScalars.count > limit ? shown + "…" : shown
}
