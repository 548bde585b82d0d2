/// What a reader got out of a ring or performance buffer, and what it did not get.
public struct BufferStatistics: Sendable, Hashable {
  /// Records passed on.
  public var records: UInt64 = 0
  /// Their bytes.
  public var bytes: UInt64 = 0
  /// Records the kernel says were lost. Only performance buffers say so; a program that finds its ring
  /// buffer full must count that itself.
  public var lost: UInt64 = 0
  /// Records whose sizes contradict each other, or that the reader could not decode.
  public var malformed: UInt64 = 0
  /// Records that the program took back before sending them.
  public var discarded: UInt64 = 0

  /// All zero.
  public init() {}
}

/// Latencies in logarithmic buckets: any quantile to within 6.25 %, in 8 KiB, without allocation.
public struct LatencyHistogram: Sendable, Hashable {
  /// Values below 16 have a bucket each; above, every power of two has 16.
  private var buckets = [UInt64](repeating: 0, count: 16 + 60 * 16)
  /// How many values there are.
  public private(set) var count: UInt64 = 0
  /// The greatest one, exactly.
  public private(set) var maximum: UInt64 = 0

  /// An empty histogram.
  public init() {}

  /// Adds a value, in nanoseconds or any other unit.
  public mutating func record(_ value: UInt64) {
    buckets[LatencyHistogram.bucket(value)] += 1
    count += 1
    maximum = max(maximum, value)
  }

  /// Adds the time from `start` to `end`; nothing when the clocks disagree about their order.
  public mutating func record(from start: UInt64, to end: UInt64) {
    if end >= start { record(end - start) }
  }

  /// The value that this share of all values does not exceed: 0.5 is the median, 0.99 the 99th
  /// percentile. Nil when there is no value.
  public func quantile(_ share: Double) -> UInt64? {
    guard count > 0 else { return nil }
    let rank = max(1, UInt64((min(max(share, 0), 1) * Double(count)).rounded(.up)))
    var seen: UInt64 = 0
    for (index, number) in buckets.enumerated() {
      seen += number
      if seen >= rank { return min(LatencyHistogram.upperBound(index), maximum) }
    }
    return maximum
  }

  private static func bucket(_ value: UInt64) -> Int {
    guard value >= 16 else { return Int(value) }
    let power = 63 - value.leadingZeroBitCount
    return 16 + (power - 4) * 16 + Int(value >> (power - 4) & 15)
  }

  private static func upperBound(_ bucket: Int) -> UInt64 {
    guard bucket >= 16 else { return UInt64(bucket) }
    let power = (bucket - 16) / 16
    let lower = UInt64(16 + (bucket - 16) % 16) << power
    return lower + ((UInt64(1) << power) - 1)
  }
}
