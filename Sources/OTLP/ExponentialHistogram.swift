/// How values are distributed, in buckets whose bounds are powers of one base.
///
/// At scale s the base is 2^(2^−s), and bucket i has the values above base^i up to base^(i+1).
public struct ExponentialHistogram: Sendable, Hashable {
  /// The most buckets that an export has; more are merged by two until they fit.
  public static let bucketLimit = 160

  /// How fine the buckets are.
  public let scale: Int
  /// Values up to here are in ``zeroCount``.
  public let zeroThreshold: Double
  /// The values that are no more than ``zeroThreshold``.
  public private(set) var zeroCount: UInt64 = 0
  /// The number of values in each bucket that has any.
  public private(set) var buckets: [Int: UInt64] = [:]
  /// The number of values.
  public private(set) var count: UInt64 = 0
  /// Their sum.
  public var sum: Double = 0
  /// The greatest; nil for unknown.
  public var maximum: Double?

  /// Creates an empty histogram, of a scale from 0 to 8.
  public init(scale: Int = 3, zeroThreshold: Double = 0) {
    precondition((0...8).contains(scale))
    self.scale = scale
    self.zeroThreshold = zeroThreshold
  }

  /// Adds a value.
  public mutating func record(_ value: Double) {
    add(1, near: value)
    sum += value
    maximum = max(maximum ?? value, value)
  }

  /// Adds as many values to the bucket of one, and nothing to the sum.
  public mutating func add(_ number: UInt64, near value: Double) {
    guard number > 0 else { return }
    count += number
    if value <= zeroThreshold {
      zeroCount += number
    } else {
      buckets[ExponentialHistogram.bucket(of: value, scale: scale), default: 0] += number
    }
  }

  /// The bucket that a finite value above zero is in.
  public static func bucket(of value: Double, scale: Int) -> Int {
    let parts = 1 << scale
    // The bucket of a power of two ends with it.
    guard value.significand > 1 else { return Int(value.exponent) * parts - 1 }
    var root = 2.0
    for _ in 0..<scale { root = root.squareRoot() }
    var bound = root
    var part = 0
    while part < parts - 1, value.significand > bound {
      bound *= root
      part += 1
    }
    return Int(value.exponent) * parts + part
  }

  /// The buckets in order, the first one's index and the scale that they have.
  var dense: (scale: Int, offset: Int, counts: [UInt64]) {
    guard var first = buckets.keys.min(), var last = buckets.keys.max() else {
      return (scale, 0, [])
    }
    var shift = 0
    while last - first >= ExponentialHistogram.bucketLimit {
      shift += 1
      // An arithmetic shift rounds down, as merging by two does.
      (first, last) = (first >> 1, last >> 1)
    }
    var counts = [UInt64](repeating: 0, count: last - first + 1)
    for (index, number) in buckets { counts[(index >> shift) - first] += number }
    return (scale - shift, first, counts)
  }
}
