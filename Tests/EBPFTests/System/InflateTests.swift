import EBPFObject
import EBPFSystem
import TestSupport
import Testing

@Suite struct InflateTests {
  private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    try Command.run(["gzip", "-9", "-c"], input: bytes).bytes
  }

  @Test(arguments: [0, 1, 100, 100_000, 300_000])
  func `what gzip packed comes out as it went in`(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 5) }
    let packed = try gzip(bytes)
    #expect(try Inflate.decompress(packed.span.rawBytes, limit: count).array == bytes)
  }

  @Test func `one byte beyond the limit is too large, and a bomb costs no more than the limit`()
    throws
  {
    let packed = try gzip([UInt8](repeating: 0, count: 1_000_000))
    #expect(packed.count < 2_000)
    #expect(throws: Inflate.Failure.tooLarge) {
      try Inflate.decompress(packed.span.rawBytes, limit: 999_999)
    }
  }

  @Test func `what is longer than the room to begin with comes out whole, whatever the limit`()
    throws
  {
    let count = 150 << 20
    let packed = try gzip([UInt8](repeating: 7, count: count))
    for limit in [count, 1 << 50] {
      let bytes = try Inflate.decompress(packed.span.rawBytes, limit: limit)
      #expect(bytes.count == count)
      for offset in [0, 64 << 20, (128 << 20) + 1, count - 1] {
        #expect(try bytes.load(at: offset) == UInt8(7))
      }
    }
    #expect(throws: Inflate.Failure.tooLarge) {
      try Inflate.decompress(packed.span.rawBytes, limit: count - 1)
    }
  }

  @Test func `every cut of a stream is reported as truncated`() throws {
    let packed = try gzip((0..<200).map { UInt8(truncatingIfNeeded: $0 &* $0) })
    for length in 0..<packed.count {
      #expect(throws: Inflate.Failure.truncated) {
        try Inflate.decompress(Array(packed[..<length]).span.rawBytes, limit: 100_000)
      }
    }
  }

  @Test func `other bytes are malformed, with zlib's reason`() {
    #expect(throws: Inflate.Failure.malformed("incorrect header check")) {
      try Inflate.decompress([1, 2, 3, 4, 5, 6, 7, 8].span.rawBytes, limit: 100)
    }
  }

  @Test func `the kernel's configuration, where it has one, is text`() throws {
    let path = "/proc/config.gz"
    guard FileSystem.exists(path) else { return }
    let packed = try SystemFile.read(path)
    let text = try Inflate.decompress(packed.span.rawBytes, limit: 8 << 20).text
    #expect(text.contains("CONFIG_BPF=y"))
  }
}
