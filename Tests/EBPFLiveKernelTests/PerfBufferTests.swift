import EBPF
import EBPFSystem
import Synchronization
import Testing

/// Capability 12: the perf buffer on the running kernel, with an exactly known number of records.
@Suite struct PerfBufferTests {
  private func makeMap() throws -> RawMap {
    try RawMap.create(MapSpec(name: "perf", type: .perfEventArray))
  }

  @Test func `every record of every CPU arrives once, in order`() throws {
    let map = try makeMap()
    let program = try EventProgram(sending: 200, to: map, by: .perf)
    var buffer = try PerfBuffer(map, pages: 8)
    #expect(buffer.cpuNumbers == (try CPUSet.online().cpus))
    var check = SequenceCheck()
    // 32 bytes a record in 32,768: the end is passed several times, and records wrap around it.
    for round in UInt64(0)..<20 {
      for cpu in buffer.cpuNumbers {
        try program.run(producer: UInt64(cpu), first: round * 200, cpu: UInt32(cpu))
      }
      buffer.drain(&check) { $0.add($1) }
    }
    #expect(check.isOrdered)
    #expect(check.next.values.allSatisfy { $0 == 4000 })
    #expect(check.received == UInt64(buffer.cpuNumbers.count) * 4000)
    #expect(buffer.statistics.records == check.received)
    #expect(buffer.statistics.lost == 0)
    #expect(buffer.statistics.malformed == 0)
    #expect(try program.dropped == 0)
  }

  @Test func `a full buffer loses exactly what the kernel counts`() throws {
    let map = try makeMap()
    let program = try EventProgram(sending: 500, to: map, by: .perf)
    var buffer = try PerfBuffer(map, pages: 1)
    var check = SequenceCheck()
    try program.run(producer: 0, first: 0, cpu: 0)
    buffer.drain(&check) { $0.add($1) }
    // One byte short of the whole buffer may be used.
    #expect(check.received == 4095 / 32)
    // The kernel reports the loss with the next record that finds room.
    try program.run(producer: 0, first: 500, cpu: 0)
    buffer.drain(&check) { $0.add($1) }
    let firstLoss = 500 - UInt64(4095 / 32)
    #expect(buffer.statistics.lost == firstLoss)
    #expect(check.isOrdered)
    #expect(check.received + (try program.dropped) == 1000)
  }

  @Test
  func `eight producers and one reader: received and dropped are what was sent`() throws {
    let map = try makeMap()
    let program = try EventProgram(sending: 200, to: map, by: .perf)
    var buffer = try PerfBuffer(map, pages: 32, wakeup: .bytes(4096))
    let rounds: UInt64 = 50
    let running = Shared(8)
    for producer in UInt64(0)..<8 {
      try Thread.detach {
        for round in 0..<rounds {
          do throws(Errno) {
            try program.run(producer: producer, first: round * 200, cpu: UInt32(producer % 2))
          } catch { Issue.record("\(error)") }
        }
        running.value.subtract(1, ordering: .acquiringAndReleasing)
      }
    }
    var check = SequenceCheck()
    while true {
      let ended = running.value.load(ordering: .acquiring) == 0
      let count = buffer.drain(&check) { $0.add($1) }
      if ended, count == 0 { break }
      if count == 0 { _ = try buffer.wait(timeout: .milliseconds(20)) }
    }
    #expect(check.isOrdered)
    #expect(check.received + (try program.dropped) == 8 * rounds * 200)
    #expect(buffer.statistics.malformed == 0)
  }

  @Test
  func `records arrive as an asynchronous sequence`() async throws {
    let map = try makeMap()
    let program = try EventProgram(sending: 10, to: map, by: .perf)
    let batches = try PerfBuffer(map).batches { record in
      BitwiseBytes.load(EventProgram.Record.self, from: record)
    }
    async let first = { () -> [EventProgram.Record] in
      var records: [EventProgram.Record] = []
      for try await record in batches.records {
        records.append(record)
        if records.count == 10 { break }
      }
      return records
    }()
    try program.run(producer: 3, first: 0, cpu: 0)
    #expect(try await first == (0..<10).map { EventProgram.Record(producer: 3, sequence: $0) })
  }

  @Test func `a number of pages that is no power of two is refused before any event is opened`()
    throws
  {
    let map = try makeMap()
    let error = #expect(throws: EBPFError.self) { _ = try PerfBuffer(map, pages: 3) }
    #expect(error?.message == "3 pages for each CPU is not a power of two")
  }
}
