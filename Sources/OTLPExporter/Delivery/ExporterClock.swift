internal import EBPFSystem

/// The time the exporter goes by: waits by a clock that nobody sets, dates by the one people set.
protocol ExporterClock: Sendable {
  /// Time since an arbitrary start; never goes back.
  var monotonic: Duration { get }
  /// Seconds since 1970, as far as this machine knows.
  var wallSeconds: Int64 { get }
  /// Returns at a reading of ``monotonic``, or throws when the task is cancelled.
  func sleep(until deadline: Duration) async throws
}

/// The machine's clocks.
struct SystemExporterClock: ExporterClock {
  var monotonic: Duration { .nanoseconds(Int64(clamping: Clock.monotonic.now)) }

  var wallSeconds: Int64 { Int64(clamping: Clock.wall.now / 1_000_000_000) }

  func sleep(until deadline: Duration) async throws {
    let rest = deadline - monotonic
    if rest > .zero { try await Task.sleep(for: rest) }
  }
}
