import EBPFSystem
import TestSupport
import Testing

@Suite struct SHA256Tests {
  @Test(arguments: [0, 1, 55, 56, 63, 64, 65, 8200, 70_000, 2_100_000])
  func `digests are those of sha256sum`(count: Int) throws {
    let input = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    let digest = try #require(SHA256.digest(input))
    let expected = try Command.output(["sha256sum"], input: input).prefix(64)
    let digits = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(digits == expected)
  }
}
