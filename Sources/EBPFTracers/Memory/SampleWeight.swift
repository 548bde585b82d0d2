/// What a picked allocation stands for.
///
/// Bytes are picked as a Poisson process with one in `mean`, so an allocation of `size` bytes is
/// picked with probability p = 1 − exp(−size / mean); counting each picked one 1 / p times makes sums
/// right on average, whatever the sizes are (the Horvitz–Thompson estimator).
struct SampleWeight: Sendable {
  /// The mean distance between picked bytes; nil when everything is recorded.
  let mean: UInt64?

  /// The same when the mean is so many times as large; 0 and 1 change nothing.
  func multiplied(by factor: UInt32) -> SampleWeight {
    SampleWeight(mean: mean.map { $0 * UInt64(max(1, factor)) })
  }

  /// How many allocations one of this size stands for.
  func weight(ofSize size: UInt64) -> Double {
    guard let mean, mean > 0 else { return 1 }
    // An allocation of nothing is picked like one of a byte.
    return 1 / Self.probability(Double(max(size, 1)) / Double(mean))
  }

  /// A count and bytes of equal size, weighted.
  func scaled(_ amount: MemoryAmount, size: UInt64) -> (count: Double, bytes: Double) {
    guard mean != nil else { return (Double(amount.count), Double(amount.bytes)) }
    let weight = weight(ofSize: size)
    return (Double(amount.count) * weight, Double(amount.bytes) * weight)
  }

  /// 1 − exp(−x) for x > 0, without losing the digits of small results.
  static func probability(_ x: Double) -> Double {
    guard x < 64 else { return 1 }
    // The series converges fast for small x; q(2x) = q(x) (2 − q(x)) leads back.
    var part = x
    var doublings = 0
    while part > 0.25 {
      part /= 2
      doublings += 1
    }
    var term = part
    var sum = 0.0
    for index in 1...14 {
      sum += term
      term *= -part / Double(index + 1)
    }
    for _ in 0..<doublings { sum *= 2 - sum }
    return sum
  }
}
