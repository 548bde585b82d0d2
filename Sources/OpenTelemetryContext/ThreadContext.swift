internal import COpenTelemetryContext

/// What the current thread is at work on, for readers outside of this process that interrupt it, such as
/// profilers: OpenTelemetry's OTEP 4947.
///
/// The context is a thread's and not a task's: a task that awaits may go on in another thread, while
/// this one does something else. So there is one scope for synchronous work, and one for asynchronous work,
/// which has the threads follow the task.
///
/// Readers take it into account once ``ProcessContext`` is published. They find it by the symbol
/// `otel_thread_ctx_v1`: in a stripped executable only when it was linked with
/// `-Xlinker --export-dynamic-symbol=otel_thread_ctx_v1`.
public enum ThreadContext {
  /// Runs `body` as work on a span; what was the thread's context before is so again afterwards.
  ///
  /// Costs some ten nanoseconds and no allocation.
  ///
  /// - Parameter attributes: what else readers are told, in the order of the names that were given to
  ///   ``ProcessContext/publish(_:threadAttributes:)``; an empty text is left out, one of more than 255
  ///   bytes as well, and what does not fit into 612 bytes together.
  public static func withSpan<Result, Failure: Error>(
    _ span: SpanContext, attributes: [String] = [], _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: the record is filled before it becomes the thread's, and is the thread's only until the
    // scope that owns its memory is left.
    try unsafe withUnsafeTemporaryAllocation(of: otelctx_record.self, capacity: 1) {
      (memory) throws(Failure) in
      let record = unsafe memory.baseAddress.unsafelyUnwrapped
      unsafe fill(record, span, attributes)
      let before = unsafe otelctx_swap(record)
      defer { _ = unsafe otelctx_swap(before) }
      return try body()
    }
  }

  /// Makes a span what the thread is at work on, until ``detach()`` or the next one.
  public static func attach(_ span: SpanContext, attributes: [String] = []) {
    // SAFETY: the record lives as long as the thread, and is not the thread's while it is filled.
    _ = unsafe otelctx_swap(nil)
    let record = unsafe otelctx_own()
    unsafe fill(record, span, attributes)
    _ = unsafe otelctx_swap(record)
  }

  /// The thread is at work on no span any more.
  public static func detach() { _ = unsafe otelctx_swap(nil) }

  /// What readers see of the calling thread now.
  public static var current: SpanContext? {
    // SAFETY: a record that is the thread's is complete, and only this thread changes that.
    guard let record = unsafe otelctx_current() else { return nil }
    return unsafe SpanContext(
      traceHigh: otelctx_word(record, 0), traceLow: otelctx_word(record, 8),
      spanID: otelctx_word(record, 16), flags: record.pointee.trace_flags)
  }

  static func fill(
    _ record: UnsafeMutablePointer<otelctx_record>, _ span: SpanContext, _ attributes: [String]
  ) {
    unsafe otelctx_fill(record, span.traceHigh, span.traceLow, span.spanID, span.flags)
    for (key, value) in attributes.prefix(ProcessContext.threadAttributeLimit).enumerated()
    where !value.isEmpty {
      var value = value
      _ = value.withUTF8 { text in
        unsafe otelctx_add(record, UInt8(key), text.baseAddress, text.count)
      }
    }
  }
}
