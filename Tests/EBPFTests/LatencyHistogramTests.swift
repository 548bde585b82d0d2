import EBPF
import Testing

@Suite struct LatencyHistogramTests {
  @Test func `without values there is no quantile`() {
    #expect(LatencyHistogram().quantile(0.5) == nil)
  }

  @Test func `small values are exact`() {
    var histogram = LatencyHistogram()
    for value in UInt64(1)...10 { histogram.record(value) }
    #expect(histogram.quantile(0.5) == 5)
    #expect(histogram.quantile(1) == 10)
    #expect(histogram.quantile(0) == 1)
    #expect(histogram.count == 10)
  }

  @Test(arguments: [0.01, 0.5, 0.9, 0.99, 0.999])
  func `quantiles are those of the sorted values to within one in sixteen`(share: Double) {
    var histogram = LatencyHistogram()
    var generator = SplitMix(state: 42)
    var values: [UInt64] = []
    for _ in 0..<20_000 {
      let value = generator.next() >> (generator.next() % 60)
      values.append(value)
      histogram.record(value)
    }
    values.sort()
    let exact = values[max(0, Int((share * 20_000).rounded(.up)) - 1)]
    let found = histogram.quantile(share) ?? 0
    #expect(found >= exact)
    #expect(Double(found) <= Double(exact) * (1 + 1.0 / 16) + 1)
  }

  @Test func `the greatest value fits, and clocks that disagree add nothing`() {
    var histogram = LatencyHistogram()
    histogram.record(.max)
    histogram.record(from: 10, to: 5)
    #expect(histogram.count == 1)
    #expect(histogram.quantile(0.5) == .max)
    #expect(histogram.maximum == .max)
  }
}
