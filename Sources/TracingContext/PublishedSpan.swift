#if TracingContext
  internal import OpenTelemetryContext
  public import Tracing

  /// Runs `body` as work on the span of swift-distributed-tracing, as
  /// ``ThreadContext/withSpan(_:attributes:_:)`` does.
  ///
  /// ```swift
  /// try withSpan("compress") { _ in
  ///   try withPublishedSpan { try compress(file) }
  /// }
  /// ```
  ///
  /// Where the context has no span that ``SpanContext/init(_:)`` finds, `body` runs as it would without this.
  ///
  /// - Parameter attributes: as for ``ThreadContext``.
  public func withPublishedSpan<Result, Failure: Error>(
    _ context: ServiceContext? = .current, attributes: [String] = [],
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let span = context.flatMap(SpanContext.init) else { return try body() }
    return try ThreadContext.withSpan(span, attributes: attributes, body)
  }

  /// Runs `body` as work on the span of swift-distributed-tracing, in whatever threads its task runs, as
  /// ``ThreadContext/withSpan(_:attributes:isolation:_:)`` does.
  ///
  /// ```swift
  /// try await withSpan("order") { _ in
  ///   try await withPublishedSpan { try await order(items) }
  /// }
  /// ```
  ///
  /// Where the context has no span that ``SpanContext/init(_:)`` finds, `body` runs as it would without this.
  ///
  /// - Parameter attributes: as for ``ThreadContext``.
  public func withPublishedSpan<Result, Failure: Error>(
    _ context: ServiceContext? = .current, attributes: [String] = [],
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    guard let span = context.flatMap(SpanContext.init) else { return try await body() }
    return try await ThreadContext.withSpan(
      span, attributes: attributes, isolation: isolation, body)
  }
#endif
