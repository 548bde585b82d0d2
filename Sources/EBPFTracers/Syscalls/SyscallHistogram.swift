/// Durations in exponential buckets, as the kernel side counts them.
///
/// The first bucket is below 64 ns; then each power of two has four, up to 2^38 ns (275 s); the last
/// is beyond. A bucket is at most a quarter wider than its lower bound, and so is a quantile's error.
public struct SyscallHistogram: Sendable, Hashable {
  /// How many buckets there are.
  public static let bucketCount = 130
  static let firstPower = 6
  static let lastPower = 37

  /// How many values each bucket has.
  public internal(set) var counts = [UInt64](repeating: 0, count: bucketCount)

  /// An empty histogram.
  public init() {}

  /// The number of values.
  public var total: UInt64 { counts.reduce(0, &+) }

  /// The values that a bucket counts, in nanoseconds.
  public static func bounds(_ bucket: Int) -> Range<UInt64> {
    if bucket <= 0 { return 0..<64 }
    if bucket >= bucketCount - 1 { return (UInt64(1) << UInt64(lastPower + 1))..<UInt64.max }
    let power = firstPower + (bucket - 1) / 4
    let quarter = UInt64(1) << UInt64(power - 2)
    let lower = (UInt64(1) << UInt64(power)) + UInt64((bucket - 1) % 4) * quarter
    return lower..<(lower + quarter)
  }

  /// The bucket that counts a value: the same arithmetic as the kernel side's.
  public static func bucket(_ nanoseconds: UInt64) -> Int {
    if nanoseconds >> UInt64(firstPower) == 0 { return 0 }
    if nanoseconds >> UInt64(lastPower + 1) != 0 { return bucketCount - 1 }
    let power = 63 - nanoseconds.leadingZeroBitCount
    return 1 + (power - firstPower) * 4 + Int(nanoseconds >> UInt64(power - 2) & 3)
  }

  /// The upper bound of the bucket in which this share of the values ends; nil when there are none.
  public func quantile(_ share: Double) -> UInt64? {
    let total = total
    guard total > 0 else { return nil }
    let rank = max(1, UInt64((min(max(share, 0), 1) * Double(total)).rounded(.up)))
    var seen: UInt64 = 0
    for (bucket, count) in counts.enumerated() {
      seen &+= count
      if seen >= rank { return SyscallHistogram.bounds(bucket).upperBound - 1 }
    }
    return nil
  }

  /// The counts by powers of two: the power and its count, from the first to the last that has any.
  public var powers: [(lower: UInt64, upper: UInt64, count: UInt64)] {
    var rows: [(lower: UInt64, upper: UInt64, count: UInt64)] = []
    rows.append((0, 63, counts[0]))
    for power in SyscallHistogram.firstPower...SyscallHistogram.lastPower {
      let first = 1 + (power - SyscallHistogram.firstPower) * 4
      let lower = UInt64(1) << UInt64(power)
      rows.append((lower, 2 * lower - 1, counts[first..<first + 4].reduce(0, &+)))
    }
    let last = UInt64(1) << UInt64(SyscallHistogram.lastPower + 1)
    rows.append((last, .max, counts[SyscallHistogram.bucketCount - 1]))
    while rows.last?.count == 0 { rows.removeLast() }
    return Array(rows.drop { $0.count == 0 })
  }

  mutating func add(_ count: UInt64, bucket: Int) {
    guard counts.indices.contains(bucket) else { return }
    counts[bucket] &+= count
  }

  /// Adds another's counts.
  public mutating func merge(_ other: SyscallHistogram) {
    for index in counts.indices { counts[index] &+= other.counts[index] }
  }

  /// Takes away counts that were there before.
  mutating func subtract(_ earlier: SyscallHistogram) {
    for index in counts.indices {
      counts[index] -= min(counts[index], earlier.counts[index])
    }
  }
}
