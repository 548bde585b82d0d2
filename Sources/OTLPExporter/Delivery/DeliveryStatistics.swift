/// Why items were given up.
public enum DropReason: String, Sendable, Hashable, CaseIterable {
  /// The queue had no room: what was there already is kept.
  case queueFull = "queue_full"
  /// One item alone is larger than a request may be.
  case tooLarge = "too_large"
  /// The receiver refused the request for good, or redirected it elsewhere.
  case refused
  /// The receiver did not take it within the policy's limit.
  case retriesExhausted = "retries_exhausted"
  /// The time for the last flush was over.
  case shutdown
  /// A file of the spool was damaged or gone.
  case spoolDamaged = "spool_damaged"
  /// The items could not be written as bytes.
  case encoding
  /// A file could not be written.
  case writeFailed = "write_failed"
  /// The exporter is switched off, or was stopped already.
  case notRunning = "not_running"
}

/// What became of a signal's items: every item is in exactly one of these places.
public struct DeliveryStatistics: Sendable, Hashable {
  /// Items given to the exporter.
  public internal(set) var produced = 0
  /// Items found in the spool at the start: those an earlier process left.
  public internal(set) var recovered = 0
  /// Items that a receiver took.
  public internal(set) var sent = 0
  /// Items that a receiver would not take, by its own partial success.
  public internal(set) var rejected = 0
  /// Items that wait in memory, or are being sent from there.
  public internal(set) var queued = 0
  /// Items that wait on disk, or are being sent from there.
  public internal(set) var spooled = 0
  /// Items given up, by reason.
  public internal(set) var dropped: [DropReason: Int] = [:]

  /// Attempts to hand a request over.
  public internal(set) var requests = 0
  /// Attempts that failed and were, or will be, made again.
  public internal(set) var retries = 0
  /// Requests that a receiver took with an answer that is no OTLP.
  public internal(set) var unreadableAnswers = 0
  /// Files of the spool that were damaged.
  public internal(set) var damagedFiles = 0
  /// Requests the spool could not store, and that stayed in memory.
  public internal(set) var spoolFailures = 0
  /// Bytes that wait in memory.
  public internal(set) var queuedBytes = 0
  /// Bytes that wait on disk.
  public internal(set) var spooledBytes = 0

  /// All items given up.
  public var droppedInTotal: Int { dropped.values.reduce(0, +) }

  /// Whether every item is accounted for: what came in is what went out, waits, or was given up.
  public var isBalanced: Bool {
    produced + recovered == sent + rejected + queued + spooled + droppedInTotal
  }

  mutating func drop(_ count: Int, _ reason: DropReason) { dropped[reason, default: 0] += count }
}
