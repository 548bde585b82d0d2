internal import EBPFTracers
internal import OTLP

/// Says so, in the log, when a tracer has lost events, or missed the beginning of programs, since the last
/// collection.
struct LossWatch: Sendable {
  let tracer: String
  private var dropped: UInt64 = 0
  private var unwatched: UInt64 = 0

  init(tracer: String) { self.tracer = tracer }

  /// The tracer counts from zero again.
  mutating func beginAnew() {
    dropped = 0
    unwatched = 0
  }

  mutating func report(
    _ statistics: TracerStatistics, at now: UInt64, _ pending: inout PendingTelemetry
  ) {
    let new = Self.increase(of: &dropped, to: statistics.dropped)
    guard new > 0 else { return }
    add(
      "dropped", new, "has lost \(new) events: a map or a buffer was full", at: now, &pending)
  }

  /// Of 32-bit programs that ran before their mappings were watched.
  mutating func report(
    unwatchedPrograms: UInt64, at now: UInt64, _ pending: inout PendingTelemetry
  ) {
    let new = Self.increase(of: &unwatched, to: unwatchedPrograms)
    guard new > 0 else { return }
    add(
      "unwatched_programs", new,
      "lacks the first mappings of \(new) 32-bit programs: watching those began with them",
      at: now, &pending)
  }

  private static func increase(of last: inout UInt64, to count: UInt64) -> UInt64 {
    defer { last = count }
    return count - min(count, last)
  }

  private func add(
    _ kind: String, _ count: UInt64, _ what: String, at now: UInt64,
    _ pending: inout PendingTelemetry
  ) {
    var list = pending.attributes
    list.add(Key.tracer, tracer)
    list.add("ebpf.tracer.\(kind)", count)
    pending.addRecord(
      "ebpf.tracer.loss", .warning, at: now, observed: now, "the tracer '\(tracer)' \(what)", list)
  }
}
