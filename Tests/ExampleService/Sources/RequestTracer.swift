import EBPFTelemetry
import OTLP
import OpenTelemetryContext
import Synchronization
import Tracing

/// What swift-distributed-tracing makes spans with here: each is handed on when it ends. A service of yours has
/// a tracer already; any will do that tells other services of its spans by W3C's header `traceparent`.
struct RequestTracer: Tracer {
  /// What takes a span that has ended.
  let take: @Sendable (SpanData) -> Void

  func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> RequestSpan {
    RequestSpan(
      operationName, in: context(), kind, start: instant().nanosecondsSinceEpoch, take: take)
  }

  func inject<Carrier, Inject: Injector>(
    _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    guard let span = context.spanContext else { return }
    injector.inject(span.traceparent, forKey: "traceparent", into: &carrier)
  }

  func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    let header = extractor.extract(key: "traceparent", from: carrier)
    context.spanContext = header.flatMap { SpanContext(traceparent: $0) }
  }

  func forceFlush() {}
}

/// One span of a ``RequestTracer``.
final class RequestSpan: Span {
  private struct State {
    var name: String
    var attributes = SpanAttributes()
    var failure: String?
    var errorType: String?
    var hasEnded = false
  }

  let context: ServiceContext
  private let ids: SpanContext
  private let parent: SpanContext?
  private let kind: SpanKind
  private let start: UInt64
  private let take: @Sendable (SpanData) -> Void
  private let state: Mutex<State>

  init(
    _ name: String, in context: ServiceContext, _ kind: SpanKind, start: UInt64,
    take: @escaping @Sendable (SpanData) -> Void
  ) {
    parent = context.spanContext
    ids = .random(in: parent)
    var context = context
    context.spanContext = ids
    self.context = context
    self.kind = kind
    self.start = start
    self.take = take
    state = Mutex(State(name: name))
  }

  var operationName: String {
    get { state.withLock(\.name) }
    set { state.withLock { $0.name = newValue } }
  }

  var attributes: SpanAttributes {
    get { state.withLock(\.attributes) }
    set { state.withLock { $0.attributes = newValue } }
  }

  var isRecording: Bool { state.withLock { !$0.hasEnded } }

  func setStatus(_ status: SpanStatus) {
    state.withLock { $0.failure = status.code == .error ? status.message ?? "" : nil }
  }

  func recordError<Instant: TracerInstant>(
    _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
  ) {
    state.withLock { $0.errorType = "\(type(of: error))" }
  }

  func addEvent(_ event: SpanEvent) {}
  func addLink(_ link: SpanLink) {}

  func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
    let end = instant().nanosecondsSinceEpoch
    let ended: State? = state.withLock { state in
      guard !state.hasEnded else { return nil }
      state.hasEnded = true
      return state
    }
    guard let ended, let trace = TraceID(high: ids.traceHigh, low: ids.traceLow),
      let span = SpanID(ids.spanID)
    else { return }
    var attributes: [Attribute] = []
    ended.attributes.forEach { key, value in attributes.append(Attribute(key, value)) }
    if ended.failure != nil {
      attributes.append(Attribute("error.type", ended.errorType ?? "_OTHER"))
    }
    take(
      SpanData(
        traceID: trace, spanID: span, parentID: parent.flatMap { SpanID($0.spanID) },
        name: ended.name, kind: kind == .server ? .server : kind == .client ? .client : .internal,
        start: start, end: max(start, end), attributes: attributes, failure: ended.failure))
  }
}

extension ServiceContext {
  private enum Key: ServiceContextKey { typealias Value = SpanContext }

  /// The span that this is the context of.
  fileprivate var spanContext: SpanContext? {
    get { self[Key.self] }
    set { self[Key.self] = newValue }
  }
}

extension SpanContext {
  /// A new span in the trace of another, or in a new one.
  fileprivate static func random(in parent: SpanContext?) -> SpanContext {
    while true {
      let new = SpanContext(
        traceHigh: parent?.traceHigh ?? .random(in: 1...(.max)),
        traceLow: parent?.traceLow ?? .random(in: 1...(.max)), spanID: .random(in: 1...(.max)),
        flags: parent?.flags ?? 1)
      if let new { return new }
    }
  }

  fileprivate var traceparent: String {
    func digits(_ number: some UnsignedInteger & FixedWidthInteger) -> String {
      let text = String(number, radix: 16)
      return String(repeating: "0", count: number.bitWidth / 4 - text.utf8.count) + text
    }
    return "00-\(digits(traceHigh))\(digits(traceLow))-\(digits(spanID))-\(digits(flags))"
  }
}

extension Attribute {
  fileprivate init(_ key: String, _ value: SpanAttribute) {
    switch value {
    case .int32(let number): self.init(key, number)
    case .int64(let number): self.init(key, number)
    case .double(let number): self.init(key, AttributeValue.double(number))
    case .bool(let flag): self.init(key, AttributeValue.boolean(flag))
    case .string(let text): self.init(key, text)
    case .stringArray(let texts): self.init(key, AttributeValue.strings(texts))
    default: self.init(key, "\(value)")
    }
  }
}
