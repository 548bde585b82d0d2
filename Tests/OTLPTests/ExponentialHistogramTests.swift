import Glibc
import OTLP
import TestSupport
import Testing

@Suite struct ExponentialHistogramTests {
  @Test(arguments: 0...5)
  func `a value is above its bucket's lower bound and not above its upper`(scale: Int) {
    for value in [1e-9, 0.1, 0.999, 1, 1.0000001, 1.5, 2, 3, 4, 1e6, 12_345.678] {
      let index = ExponentialHistogram.bucket(of: value, scale: scale)
      let step = exp2(-Double(scale))
      let lower = exp2(Double(index) * step)
      let upper = exp2(Double(index + 1) * step)
      // Powers of two are exact; other bounds are roots, rounded.
      #expect(lower < value * (1 + 1e-12) && value <= upper * (1 + 1e-12), "\(value): \(index)")
    }
    for power in -30...30 {
      let value = exp2(Double(power))
      let index = ExponentialHistogram.bucket(of: value, scale: scale)
      #expect(index == (power << scale) - 1)
      #expect(ExponentialHistogram.bucket(of: value.nextUp, scale: scale) == index + 1)
    }
  }

  @Test func `a wide range is merged into 160 buckets, and no value is lost`() throws {
    var histogram = ExponentialHistogram(scale: 5, zeroThreshold: 1e-10)
    var sum = 0.0
    for power in -30...30 {
      for count in 1...3 {
        let value = exp2(Double(power)) * Double(count)
        histogram.record(value)
        sum += value
      }
    }
    histogram.record(0)
    var metrics = MetricBatch(start: 1, time: 2)
    metrics.add(
      MetricDescriptor("h", unit: "s", "a histogram"), [HistogramPoint([], histogram)])
    let export = try #require(
      metrics.export(resource: Resource(), scope: Scope(name: "s", schemaURL: "u")))
    let rows = try OTLPDecoder.rows("metrics", try export.protobuf())
    let row = try #require(rows.first { $0[0] == "point" })
    #expect(row[3] == "exponential_histogram" && row[7] == "184")
    #expect(Double(row[8]) == sum)
    #expect(histogram.zeroCount == 1 && histogram.maximum == exp2(30) * 3)
  }
}
