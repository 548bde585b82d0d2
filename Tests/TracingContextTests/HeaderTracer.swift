#if TracingContext
  import Tracing

  /// A tracer whose spans are the headers it was given.
  struct HeaderTracer: Tracer {
    /// What ``inject(_:into:using:)`` says beside the span of a context.
    var others: [(key: String, value: String)] = []

    private enum Key: ServiceContextKey { typealias Value = String }

    static func context(_ traceparent: String) -> ServiceContext {
      var context = ServiceContext.topLevel
      context[Key.self] = traceparent
      return context
    }

    /// The name of the operation is the header.
    func startSpan<Instant: TracerInstant>(
      _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
      at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> NoOpTracer.NoOpSpan {
      NoOpTracer.NoOpSpan(context: Self.context(operationName))
    }

    func inject<Carrier, Inject: Injector>(
      _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
      if let header = context[Key.self] {
        injector.inject(header, forKey: "Traceparent", into: &carrier)
      }
      for (key, value) in others { injector.inject(value, forKey: key, into: &carrier) }
    }

    func extract<Carrier, Extract: Extractor>(
      _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {}

    func forceFlush() {}
  }
#endif
