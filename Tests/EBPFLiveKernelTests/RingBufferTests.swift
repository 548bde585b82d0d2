import EBPF
import EBPFSystem
import Synchronization
import TestSupport
import Testing

/// Capability 12: the ring buffer on the running kernel, with an exactly known number of records.
@Suite struct RingBufferTests {
  private func makeMap(_ size: UInt32) throws -> RawMap {
    var spec = MapSpec(name: "ring", type: .ringBuffer)
    spec.maxEntries = size
    return try RawMap.create(spec)
  }

  @Test func `every record arrives once, in order, with its bytes`() throws {
    let map = try makeMap(65_536)
    let program = try EventProgram(sending: 500, to: map, by: .ring(flags: 0))
    var ring = try RingBuffer(map)
    var check = SequenceCheck()
    // More than the ring holds in all, so that positions pass its end several times.
    for round in UInt64(0)..<20 {
      try program.run(producer: 0, first: round * 500)
      #expect(ring.availableBytes == 500 * 24)
      #expect(ring.drain(&check) { $0.add($1) } == 500)
    }
    #expect(check.isOrdered)
    #expect(check.next == [0: 10_000])
    #expect(try program.dropped == 0)
    #expect(ring.availableBytes == 0)
    #expect(ring.statistics.records == 10_000)
    #expect(ring.statistics.bytes == 160_000)
    #expect(ring.statistics.malformed == 0)
  }

  @Test func `a full ring loses exactly what the program counts`() throws {
    let map = try makeMap(4096)
    let program = try EventProgram(sending: 500, to: map, by: .ring(flags: 0))
    var ring = try RingBuffer(map)
    try program.run(producer: 0, first: 0)
    var check = SequenceCheck()
    ring.drain(&check) { $0.add($1) }
    // 16 bytes and an 8-byte header each; one byte short of the whole ring may be used.
    #expect(check.received == 4095 / 24)
    #expect(try program.dropped == 500 - 4095 / 24)
    #expect(check.isOrdered)
  }

  @Test func `long records that pass the end of the ring are whole`() throws {
    let words = 25_000
    let object = try LoadedObject(
      try ObjectFile(parsing: Fixtures.bytes("ringbuf_large.bpf.o"), name: "ringbuf_large"))
    let content = (0..<UInt32(words)).map { $0 &* 2_654_435_761 }
    let key = [UInt32(0)]
    try object.map("content").update(key.span.bytes, content.span.bytes)
    var ring = try RingBuffer(try object.map("events"))
    for round in UInt32(1)...9 {
      _ = try object.program("send_large").testRun()
      var records: [[UInt32]] = []
      ring.drain(&records) { records, record in
        records.append(
          stride(from: 0, to: record.byteCount, by: 4).map {
            record.unsafeLoadUnaligned(fromByteOffset: $0, as: UInt32.self)
          })
      }
      #expect(records.count == 1)
      #expect(records.first?.first == round)
      #expect(records.first?.dropFirst() == content.dropFirst())
    }
    #expect(ring.statistics.bytes == 900_000)
    #expect(ring.statistics.malformed == 0)
  }

  @Test
  func `eight producers and one reader: received and dropped are what was sent`() throws {
    let map = try makeMap(262_144)
    let program = try EventProgram(sending: 200, to: map, by: .ring(flags: 0))
    var ring = try RingBuffer(map)
    let rounds: UInt64 = 100
    let running = Shared(8)
    for producer in UInt64(0)..<8 {
      try Thread.detach {
        for round in 0..<rounds {
          do throws(Errno) { try program.run(producer: producer, first: round * 200) } catch {
            Issue.record("\(error)")
          }
        }
        running.value.subtract(1, ordering: .acquiringAndReleasing)
      }
    }
    var check = SequenceCheck()
    while true {
      let ended = running.value.load(ordering: .acquiring) == 0
      let count = ring.drain(&check) { $0.add($1) }
      if ended, count == 0 { break }
      if count == 0 { _ = try ring.wait(timeout: .milliseconds(50)) }
    }
    #expect(check.isOrdered)
    #expect(check.received + (try program.dropped) == 8 * rounds * 200)
    #expect(ring.statistics.malformed == 0)
  }

  @Test func `waiting ends with a record, or with the time`() throws {
    let map = try makeMap(4096)
    let program = try EventProgram(sending: 1, to: map, by: .ring(flags: 0))
    var ring = try RingBuffer(map)
    #expect(try !ring.wait(timeout: .milliseconds(5)))
    try program.run(producer: 0, first: 0)
    #expect(try ring.wait(timeout: .seconds(10)))
    var check = SequenceCheck()
    ring.drain(&check) { $0.add($1) }
    #expect(try !ring.wait(timeout: .zero))
  }

  @Test func `a limit leaves the rest for the next call, and a throw counts as read`() throws {
    struct Stop: Error {}
    let map = try makeMap(65_536)
    let program = try EventProgram(sending: 100, to: map, by: .ring(flags: 0))
    var ring = try RingBuffer(map)
    try program.run(producer: 0, first: 0)
    var check = SequenceCheck()
    #expect(ring.drain(&check, limit: 30) { $0.add($1) } == 30)
    #expect(throws: Stop.self) {
      try ring.drain(&check) { (check, record) throws(Stop) in
        check.add(record)
        if check.received == 40 { throw Stop() }
      }
    }
    #expect(ring.availableBytes == 60 * 24)
    ring.drain(&check) { $0.add($1) }
    #expect(check.next == [0: 100])
    #expect(check.received == 100)
  }

  @Test
  func `batches arrive as an asynchronous sequence while records are sent`() async throws {
    let map = try makeMap(65_536)
    let program = try EventProgram(sending: 100, to: map, by: .ring(flags: 0))
    let batches = try RingBuffer(map).batches(of: EventProgram.Record.self, limit: 64)
    try Thread.detach {
      for round in UInt64(0)..<50 {
        do throws(Errno) { try program.run(producer: 0, first: round * 100) } catch {
          Issue.record("\(error)")
        }
      }
    }
    var check = SequenceCheck()
    for try await batch in batches {
      #expect(!batch.isEmpty && batch.count <= 64)
      for record in batch { check.add(record) }
      if check.next[0] == 5000 { break }
      if try check.received + program.dropped == 5000 { break }
    }
    #expect(check.isOrdered)
    #expect(batches.statistics.records == check.received)
  }

  @Test
  func `a program that never wakes the reader is read by the interval`() async throws {
    let map = try makeMap(65_536)
    // BPF_RB_NO_WAKEUP
    let program = try EventProgram(sending: 100, to: map, by: .ring(flags: 1))
    let batches = try RingBuffer(map).batches(
      of: EventProgram.Record.self, interval: .milliseconds(10))
    try program.run(producer: 0, first: 0)
    var iterator = batches.records.makeAsyncIterator()
    #expect(try await iterator.next() == EventProgram.Record(producer: 0, sequence: 0))
    // Nothing is ready: this call has to wait, and the records come without a wake-up.
    for _ in 1..<100 { _ = try await iterator.next() }
    async let late = { () -> EventProgram.Record? in
      var records = batches.records.makeAsyncIterator()
      return try await records.next()
    }()
    try program.run(producer: 1, first: 7)
    #expect(try await late == EventProgram.Record(producer: 1, sequence: 7))
  }

  @Test
  func `a cancelled reader ends, and a short record is counted as malformed`() async throws {
    let map = try makeMap(65_536)
    let program = try EventProgram(sending: 10, to: map, by: .ring(flags: 0))
    let batches = try RingBuffer(map).batches(of: InlineArray<3, UInt64>.self)
    let reader = Task { () -> Int in
      var count = 0
      for try await batch in batches { count += batch.count }
      return count
    }
    try program.run(producer: 0, first: 0)
    while batches.statistics.malformed < 10 { await Task.yield() }
    reader.cancel()
    #expect(try await reader.value == 0)
  }

  @Test func `another type of map is refused by name`() throws {
    var spec = MapSpec(name: "numbers", type: .array)
    spec.keySize = 4
    spec.valueSize = 8
    spec.maxEntries = 1
    let map = try RawMap.create(spec)
    let error = #expect(throws: EBPFError.self) { _ = try RingBuffer(map) }
    #expect(error?.message == "map 'numbers' has type array, and is no ring buffer")
  }
}

/// A counter that threads share.
final class Shared: Sendable {
  let value: Atomic<Int>
  init(_ value: Int) { self.value = Atomic(value) }
}
