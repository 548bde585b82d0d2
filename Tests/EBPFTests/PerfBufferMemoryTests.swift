import EBPFSystem
import Testing

/// The perf buffer's records on memory made by hand.
@Suite struct PerfBufferMemoryTests {
  static let page = MappedRegion.pageSize

  private func buffer(
    head: UInt64, tail: UInt64 = 0, bytes: [(Int, [UInt8])]
  ) throws -> PerfBufferMemory {
    let region = try MappedRegion.anonymous(count: 2 * Self.page)
    region.store(head, at: 1024)
    region.store(tail, at: 1032)
    for (offset, bytes) in bytes {
      for (index, byte) in bytes.enumerated() {
        region.store(byte, at: Self.page + (offset + index) % Self.page)
      }
    }
    return PerfBufferMemory(region: region)
  }

  private func record(_ type: UInt32, _ size: UInt16, _ body: [UInt8]) -> [UInt8] {
    [UInt8(type), 0, 0, 0, 0, 0, UInt8(size & 0xff), UInt8(size >> 8)] + body
  }

  private func samples(_ buffer: inout PerfBufferMemory) -> [[UInt8]] {
    var samples: [[UInt8]] = []
    buffer.consume(&samples) { $0.append(BitwiseBytes.array($1)) }
    return samples
  }

  @Test func `a sample, a loss and another kind of record`() throws {
    let sample = record(9, 24, [12, 0, 0, 0] + (1...12).map { UInt8($0) })
    let lost = record(2, 24, [7, 0, 0, 0, 0, 0, 0, 0, 0x2c, 1, 0, 0, 0, 0, 0, 0])
    let other = record(5, 8, [])
    var buffer = try buffer(head: 56, bytes: [(0, sample + lost + other)])
    #expect(samples(&buffer) == [(1...12).map { UInt8($0) }])
    #expect(buffer.counts.lost == 300)
    #expect(buffer.counts.other == 1)
    #expect(buffer.counts.malformed == 0)
    #expect(buffer.availableBytes == 0)
  }

  @Test(arguments: [8, 16])
  func `a sample around the end is put together`(before: Int) throws {
    let start = Self.page - before
    let body = (0..<20).map { UInt8($0) }
    let sample = record(9, 32, [20, 0, 0, 0] + body)
    var buffer = try buffer(
      head: UInt64(start + 32), tail: UInt64(start), bytes: [(start, sample)])
    #expect(samples(&buffer) == [body])
    #expect(buffer.availableBytes == 0)
  }

  @Test(arguments: [UInt16(0), 7, 40])
  func `a record of an impossible size is counted, and the rest given up`(size: UInt16) throws {
    var buffer = try buffer(head: 32, bytes: [(0, record(9, size, []))])
    #expect(samples(&buffer) == [])
    #expect(buffer.counts.malformed == 1)
    #expect(buffer.availableBytes == 0)
  }

  @Test func `a sample longer than its record is counted, and the next one is read`() throws {
    let bad = record(9, 16, [5, 0, 0, 0])
    let good = record(9, 16, [4, 0, 0, 0, 1, 2, 3, 4])
    var buffer = try buffer(
      head: 32, bytes: [(0, bad + [0, 0, 0, 0]), (16, good)])
    #expect(samples(&buffer) == [[1, 2, 3, 4]])
    #expect(buffer.counts.malformed == 1)
  }

  @Test func `random memory never harms, and always ends`() throws {
    var generator = SplitMix(state: 0xbeef)
    for _ in 0..<2000 {
      let region = try MappedRegion.anonymous(count: 2 * Self.page)
      let tail = generator.next()
      region.store(tail &+ generator.next() % 8192, at: 1024)
      region.store(tail, at: 1032)
      for offset in stride(from: 0, to: Self.page, by: 8) {
        region.store(generator.next() & 0x003f_0000_0000_000b, at: Self.page + offset)
      }
      var buffer = PerfBufferMemory(region: region)
      for sample in samples(&buffer) { #expect(sample.count <= Self.page) }
    }
  }
}
