internal import EBPFTracers
internal import OTLP

/// Says so, in the log, when a tracer has lost events since the last collection.
struct LossWatch: Sendable {
  let tracer: String
  private var dropped: UInt64 = 0

  init(tracer: String) { self.tracer = tracer }

  /// The tracer counts from zero again.
  mutating func beginAnew() { dropped = 0 }

  mutating func report(
    _ statistics: TracerStatistics, at now: UInt64, _ pending: inout PendingTelemetry
  ) {
    let new = statistics.dropped - min(statistics.dropped, dropped)
    dropped = statistics.dropped
    guard new > 0 else { return }
    var list = pending.attributes
    list.add(Key.tracer, tracer)
    list.add("ebpf.tracer.dropped", new)
    pending.addRecord(
      "ebpf.tracer.loss", .warning, at: now, observed: now,
      "the tracer '\(tracer)' has lost \(new) events: a map or a buffer was full", list)
  }
}
