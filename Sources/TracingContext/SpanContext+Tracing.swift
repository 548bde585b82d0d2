#if TracingContext
  public import OpenTelemetryContext
  public import Tracing

  extension SpanContext {
    /// The span of a context, as the tracer that is bootstrapped would tell it to another service: by the
    /// header `traceparent` of W3C Trace Context.
    ///
    /// Nil where the tracer tells none, one that is not valid, or several that differ.
    public init?(_ context: ServiceContext) {
      var header = Header()
      InstrumentationSystem.instrument.inject(context, into: &header, using: HeaderInjector())
      guard !header.isAmbiguous, let value = header.value else { return nil }
      self.init(traceparent: value)
    }

    /// What becomes of a request's headers here.
    private struct Header: Sendable {
      var value: String?
      var isAmbiguous = false
    }

    private struct HeaderInjector: Injector {
      func inject(_ value: String, forKey key: String, into header: inout Header) {
        guard key.lowercased() == "traceparent" else { return }
        header.isAmbiguous = header.isAmbiguous || (header.value ?? value) != value
        header.value = value
      }
    }
  }
#endif
