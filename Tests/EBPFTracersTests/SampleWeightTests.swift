import Glibc
import Testing

@testable import EBPFTracers

@Suite struct SampleWeightTests {
  @Test func `the probability is that of the C library, to twelve digits`() {
    for exponent in -30...6 {
      let x = exp2(Double(exponent)) * 1.37
      let expected = -expm1(-x)
      #expect(abs(SampleWeight.probability(x) / expected - 1) < 1e-12, "\(x)")
    }
  }

  @Test func `a small allocation stands for many, a large one for itself`() {
    let weight = SampleWeight(mean: 1 << 19)
    #expect(abs(weight.weight(ofSize: 16) - 32768.5) < 0.01)
    #expect(weight.weight(ofSize: 1 << 30) == 1)
    #expect(weight.weight(ofSize: 0) == weight.weight(ofSize: 1))
    #expect(SampleWeight(mean: nil).weight(ofSize: 16) == 1)
  }
}
