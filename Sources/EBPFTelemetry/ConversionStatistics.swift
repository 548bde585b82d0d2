/// What became of what was given to be converted.
///
/// For events, `events = spans + unwanted + (all dropped)` once everything was collected.
public struct ConversionStatistics: Sendable, Hashable {
  /// Why something was not converted.
  public enum Reason: String, Sendable, Hashable, CaseIterable {
    /// Too many waited for the next collection.
    case pendingLimit = "pending_limit"
    /// The tracer's list was full: it is in sums only.
    case notListed = "not_listed"
    /// It refers to something that is not there.
    case malformed
  }

  /// Events that could have become spans.
  public internal(set) var events: UInt64 = 0
  /// Spans that were made.
  public internal(set) var spans: UInt64 = 0
  /// Events that no span was wanted of.
  public internal(set) var unwanted: UInt64 = 0
  /// Data points that were made.
  public internal(set) var dataPoints: UInt64 = 0
  /// Log records that were made.
  public internal(set) var logRecords: UInt64 = 0
  /// Profile samples that were made.
  public internal(set) var samples: UInt64 = 0
  /// What was not converted, by reason.
  public internal(set) var dropped: [Reason: UInt64] = [:]
  /// Texts that were cut to ``TelemetryOptions/attributeLengthLimit``.
  public internal(set) var truncated: UInt64 = 0
  /// Combinations of attributes that were over ``TelemetryOptions/cardinalityLimit``, summed over
  /// collections: their figures are in the point for all others.
  public internal(set) var overflowed: UInt64 = 0

  /// All zero.
  public init() {}

  mutating func drop(_ reason: Reason, _ count: UInt64 = 1) {
    if count > 0 { dropped[reason, default: 0] += count }
  }

  /// Both together.
  public mutating func add(_ other: ConversionStatistics) {
    events += other.events
    spans += other.spans
    unwanted += other.unwanted
    dataPoints += other.dataPoints
    logRecords += other.logRecords
    samples += other.samples
    dropped.merge(other.dropped) { $0 + $1 }
    truncated += other.truncated
    overflowed += other.overflowed
  }
}
