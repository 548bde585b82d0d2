internal import OTLP

/// Exponential histograms as buckets with fixed bounds, which is all the text format has.
enum ExponentialBuckets {
  /// Upper bounds, ascending, and the values in each bucket alone.
  ///
  /// Prometheus counts what is at most a bound; OpenTelemetry's positive buckets hold what is more
  /// than their lower bound and at most their upper one, so the counts are exact. Negative buckets are
  /// closed at the other end: a value on a bound counts one bucket too early there.
  static func classic(
    _ point: Opentelemetry_Proto_Metrics_V1_ExponentialHistogramDataPoint
  ) -> [(Double, UInt64)] {
    var result: [(Double, UInt64)] = []
    // Bucket i of the negative ones holds [-base^(i+1), -base^i).
    let negative = point.negative
    for index in negative.bucketCounts.indices.reversed() {
      let bound = power(scale: point.scale, Int(negative.offset) + index)
      result.append((-bound, negative.bucketCounts[index]))
    }
    if point.zeroCount > 0 || !negative.bucketCounts.isEmpty {
      result.append((max(point.zeroThreshold, 0), point.zeroCount))
    }
    let positive = point.positive
    for index in positive.bucketCounts.indices {
      let bound = power(scale: point.scale, Int(positive.offset) + index + 1)
      result.append((bound, positive.bucketCounts[index]))
    }
    return result
  }

  /// `2^(index · 2^-scale)`: infinite or zero where a double ends.
  static func power(scale: Int32, _ index: Int) -> Double {
    let step = Double(
      sign: .plus, exponent: -Int(min(max(scale, -64), 64)), significand: 1)
    let exponent = Double(index) * step
    guard exponent > -1075 else { return 0 }
    guard exponent < 1024 else { return .infinity }
    let whole = exponent.rounded(.down)
    return Double(sign: .plus, exponent: Int(whole), significand: root(exponent - whole))
  }

  /// `2^fraction` for a fraction below one, as a product of square roots of two: bit by bit.
  private static func root(_ fraction: Double) -> Double {
    var result = 1.0
    var rest = fraction
    var factor = 2.0
    // 64 bits are more than a double has.
    for _ in 0..<64 where rest > 0 {
      factor = factor.squareRoot()
      rest *= 2
      if rest >= 1 {
        result *= factor
        rest -= 1
      }
    }
    return result
  }
}
