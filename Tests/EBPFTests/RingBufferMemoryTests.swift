import EBPFSystem
import Testing

/// The ring's protocol on memory made by hand: what a kernel would never write must not harm.
@Suite struct RingBufferMemoryTests {
  static let page = MappedRegion.pageSize
  static let size = 4096

  /// A ring with these positions and these 32-bit words from the start of the data.
  private func ring(
    read: UInt64 = 0, written: UInt64, words: [Int: UInt32] = [:], oldest: UInt64 = 0
  ) throws -> RingBufferMemory {
    let consumer = try MappedRegion.anonymous(count: Self.page)
    let producer = try MappedRegion.anonymous(count: Self.page + 2 * Self.size)
    consumer.store(read, at: 0)
    producer.store(written, at: 0)
    producer.store(oldest, at: 16)
    for (offset, word) in words {
      // Mapped twice by the kernel, so written twice here.
      producer.store(word, at: Self.page + offset)
      producer.store(word, at: Self.page + Self.size + offset)
    }
    return RingBufferMemory(consumer: consumer, producer: producer, size: Self.size)
  }

  private func lengths(_ ring: inout RingBufferMemory) -> [Int] {
    var lengths: [Int] = []
    ring.consume(&lengths) { $0.append($1.byteCount) }
    return lengths
  }

  @Test func `complete records come in order, discarded ones are passed over and counted`() throws {
    // 5 bytes, 16 discarded bytes, none, 8 bytes.
    var ring = try ring(
      written: 16 + 24 + 8 + 16, words: [0: 5, 16: 0x4000_0010, 40: 0, 48: 8])
    #expect(lengths(&ring) == [5, 0, 8])
    #expect(ring.counts.records == 3)
    #expect(ring.counts.bytes == 13)
    #expect(ring.counts.discarded == 1)
    #expect(ring.counts.malformed == 0)
    #expect(ring.availableBytes == 0)
  }

  @Test func `reading stops at a record that is being written, and goes on when it is complete`()
    throws
  {
    var first = try ring(written: 32, words: [0: 8, 16: 0x8000_0008])
    #expect(lengths(&first) == [8])
    #expect(first.availableBytes == 16)
    #expect(lengths(&first) == [])
  }

  @Test func `a record may pass the end of the data`() throws {
    let start = UInt64(Self.size - 16)
    var ring = try ring(read: start, written: start + 40, words: [Self.size - 16: 32])
    #expect(lengths(&ring) == [32])
    #expect(ring.availableBytes == 0)
  }

  @Test func `positions may pass 2 to the power of 64`() throws {
    let start = UInt64.max - 15
    var ring = try ring(read: start, written: start &+ 32, words: [Self.size - 16: 8, 0: 8])
    #expect(lengths(&ring) == [8, 8])
    #expect(ring.availableBytes == 0)
  }

  @Test(arguments: [UInt32(17), 4096, 0x3fff_ffff, 0x7fff_ffff])
  func `a length beyond what was written is counted, and the rest given up`(length: UInt32) throws {
    var ring = try ring(written: 24, words: [0: length])
    #expect(lengths(&ring) == [])
    #expect(ring.counts.malformed == 1)
    #expect(ring.availableBytes == 0)
  }

  @Test(arguments: [UInt64(4097), 1 << 40, .max])
  func `more written than the ring holds is counted, and given up`(written: UInt64) throws {
    var ring = try ring(written: written)
    #expect(lengths(&ring) == [])
    #expect(ring.counts.malformed >= 1)
    #expect(ring.availableBytes == 0)
  }

  @Test func `a ring that overwrites is read from its oldest record`() throws {
    // 5,000 bytes were written to 4,096; what is left begins at 1,000 and is one record.
    var ring = try ring(written: 5000, words: [1000: 3992], oldest: 1000)
    #expect(lengths(&ring) == [3992])
    #expect(ring.counts.overwrittenBytes == 1000)
    #expect(ring.counts.malformed == 0)
  }

  @Test func `positions that are no multiple of 8 end, without a crash`() throws {
    for position in UInt64(1)..<8 {
      var ring = try ring(read: position, written: 64 + position, words: [0: 8, 16: 8])
      _ = lengths(&ring)
      #expect(ring.availableBytes == 0)
    }
  }

  @Test func `random memory never harms, and always ends`() throws {
    var generator = SplitMix(state: 0x5eed)
    for _ in 0..<2000 {
      let read = generator.next()
      let written = read &+ generator.next() % 8192
      let consumer = try MappedRegion.anonymous(count: Self.page)
      let producer = try MappedRegion.anonymous(count: Self.page + 2 * Self.size)
      consumer.store(read, at: 0)
      producer.store(written, at: 0)
      producer.store(generator.next(), at: 16)
      for offset in stride(from: 0, to: 2 * Self.size, by: 8) {
        producer.store(generator.next() & 0x4fff_ffff_0000_003f, at: Self.page + offset)
      }
      var ring = RingBufferMemory(consumer: consumer, producer: producer, size: Self.size)
      for length in lengths(&ring) { #expect(length <= Self.size) }
    }
  }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
