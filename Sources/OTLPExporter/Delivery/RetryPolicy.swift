/// When a request that failed is tried again: later each time, never in step with other senders.
public struct RetryPolicy: Sendable, Hashable {
  /// The wait after the first failure, before jitter.
  public var initialDelay: Duration = .seconds(1)
  /// How much longer each wait is than the one before.
  public var multiplier = 2.0
  /// No wait is longer, unless the receiver asks for it.
  public var maximumDelay: Duration = .seconds(30)
  /// The share by which a wait may be shorter or longer: 0.5 is from half to one and a half.
  public var jitter = 0.5
  /// The longest wait a receiver's `Retry-After` can ask for.
  public var maximumRetryAfter: Duration = .seconds(300)
  /// How long after its first failure a request in memory is given up; nil is never. Requests in the
  /// spool are never given up.
  public var maximumElapsed: Duration? = .seconds(300)

  /// The default policy.
  public init() {}

  /// The wait after `failures` failures in a row.
  ///
  /// - Parameters:
  ///   - fraction: a random number from 0 to 1, which decides the jitter.
  ///   - retryAfter: what the receiver asked for; the wait is never shorter.
  func delay(failures: Int, fraction: Double, retryAfter: Duration?) -> Duration {
    var seconds = initialDelay.inSeconds
    let limit = maximumDelay.inSeconds
    // 64 doublings pass every limit.
    for _ in 1..<min(max(failures, 1), 64) { seconds = min(limit, seconds * max(1, multiplier)) }
    seconds = min(seconds, limit)
    let share = min(max(jitter, 0), 1)
    let wait = Duration.seconds(min(limit, seconds * (1 - share + 2 * share * fraction)))
    guard let retryAfter else { return wait }
    return max(wait, min(retryAfter, maximumRetryAfter))
  }
}

extension Duration {
  /// The duration as a number of seconds.
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
