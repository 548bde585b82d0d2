/// What became of the contexts that processes publish: of what they say of themselves (OpenTelemetry's
/// OTEP 4719), and of the spans their threads are at work on (OTEP 4947).
public struct ContextStatistics: Sendable, Hashable {
  /// Processes that were sampled, or made calls, and publish a context.
  public internal(set) var processes = 0
  /// Contexts that could not be read: damaged, always changing, or of a version that is not known.
  public internal(set) var unreadable = 0
  /// Processes whose threads tell their span in a way that is not known here, or whose variable was not
  /// found.
  public internal(set) var unplaced = 0
  /// Processes that found no room: more than 512 publish a context, and none has ended.
  public internal(set) var withoutRoom = 0
  /// Samples, or events, of threads that were at work on a span, and carry it.
  public internal(set) var linkedSamples: UInt64 = 0
  /// Samples that carry none because the way to user space was full.
  public internal(set) var lostLinks: UInt64 = 0
  /// Samples, or events, of threads whose record could not be read when they were taken.
  public internal(set) var unreadableLinks: UInt64 = 0

  /// All zero.
  public init() {}
}
