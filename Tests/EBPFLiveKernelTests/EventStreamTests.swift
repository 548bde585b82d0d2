import EBPF
import EBPFSystem
import Glibc
import Synchronization
import TestSupport
import Testing

/// Capability 12: every record of a known amount of work arrives once, or is counted as lost.
@Suite struct EventStreamTests {
  static let work: UInt64 = 111_001

  /// Lets the child work while the records are read, then reads the rest.
  private func read(
    _ child: StoppedProcess, _ reader: inout EventReader, _ check: inout EventCheck,
    limit: Int = .max
  ) throws {
    let isOver = Flag()
    try Thread.detach {
      do { #expect(try child.finish() == 0) } catch { Issue.record("\(error)") }
      isOver.raise()
    }
    while true {
      let wasOver = isOver.isRaised
      let count = reader.drain(&check, limit: wasOver ? .max : limit)
      if count == 0 {
        if wasOver { return }
        try reader.wait()
      }
    }
  }

  @Test(arguments: EventSource.Buffer.allCases)
  func `Capability 12: 111,001 records arrive whole, once, in each CPU's order, with their latency`(
    buffer: EventSource.Buffer
  ) throws {
    let child = try StoppedProcess(workload: "syscalls")
    let source = try EventSource(buffer, process: child.id)
    var reader = try EventReader(buffer, source)
    let link = try source.object.program("send_event").attachBySection()
    var check = EventCheck(process: child.id)
    let start = Clock.wall.now
    try read(child, &reader, &check)
    let end = Clock.wall.now
    try link.detach()

    let counts = try source.counts()
    check.expectComplete(counts)
    #expect(counts.reduce(0) { $0 + $1.produced } == Self.work)
    #expect(counts.allSatisfy { $0.dropped == 0 })
    #expect(check.received == Self.work)
    #expect(check.systemCalls == [110: 100_000, 257: 8_000, 3: 3_000, 231: 1])
    #expect(reader.statistics.records == Self.work)
    #expect(reader.statistics.lost == 0)
    #expect(reader.statistics.malformed == 0)

    let times = try #require(check.times)
    let offset = Clock.monotonic.wallOffset
    #expect(Int64(times.lowerBound) + offset >= Int64(start) - 1_000_000)
    #expect(Int64(times.upperBound) + offset <= Int64(end) + 1_000_000)

    // The histogram agrees with the sorted latencies to within one bucket.
    let sorted = check.exactLatencies.sorted()
    for share in [0.5, 0.99] {
      let exact = sorted[Int((share * Double(sorted.count)).rounded(.up)) - 1]
      let found = try #require(check.latencies.quantile(share))
      #expect(found >= exact && found <= exact + exact / 16 + 1, "\(share): \(found), not \(exact)")
    }
    #expect(check.latencies.count == Self.work)
  }

  /// In a process of its own: the call of another test would be read as this one's.
  @Test(arguments: EventSource.Buffer.allCases)
  func `a record's time is the wall clock's to within a millisecond`(
    buffer: EventSource.Buffer
  ) async {
    await #expect(processExitsWith: .success) { [buffer] in
      let source = try EventSource(buffer, process: getpid(), systemCall: 110, size: 1 << 20)
      var reader = try EventReader(buffer, source, pages: 64)
      let link = try source.object.program("send_event").attachBySection()
      let offset = Clock.monotonic.wallOffset
      for _ in 0..<100 {
        var check = EventCheck(process: getpid())
        let before = Clock.wall.now
        _ = getppid()
        let after = Clock.wall.now
        while reader.drain(&check) == 0 {}
        let times = try #require(check.times)
        #expect(Int64(times.lowerBound) + offset >= Int64(before) - 1_000_000)
        #expect(Int64(times.lowerBound) + offset <= Int64(after) + 1_000_000)
      }
      try link.detach()
    }
  }

  @Test(arguments: EventSource.Buffer.allCases)
  func `Capability 12: what finds a tiny buffer full is counted exactly, with and without a reader`(
    buffer: EventSource.Buffer
  ) throws {
    // Nobody reads, and then somebody reads three records at a time.
    for isRead in [false, true] {
      let child = try StoppedProcess(workload: "syscalls")
      let source = try EventSource(buffer, process: child.id, size: 4096)
      var reader = try EventReader(buffer, source, pages: 1)
      let link = try source.object.program("send_event").attachBySection()
      var check = EventCheck(process: child.id)
      if isRead {
        try read(child, &reader, &check, limit: 3)
      } else {
        #expect(try child.finish() == 0)
        _ = reader.drain(&check)
      }
      try link.detach()
      let counts = try source.counts()
      let dropped = counts.reduce(0) { $0 + $1.dropped }
      check.expectComplete(counts)
      #expect(check.received + dropped == Self.work)
      #expect(dropped > 0)
      if !isRead, buffer == .ring {
        // 64 bytes and an 8-byte header each; one byte short of the whole ring may be used.
        #expect(check.received == 4095 / 72)
      }
      // The kernel's own count comes with the next record of that CPU that finds room.
      #expect(reader.statistics.lost <= dropped)
      if buffer == .perf, isRead { #expect(reader.statistics.lost > 0) }
    }
  }

  @Test(arguments: EventSource.Buffer.allCases)
  func `the asynchronous sequences give the same records, in batches and one by one`(
    buffer: EventSource.Buffer
  ) async throws {
    for isBatched in [true, false] {
      let child = try StoppedProcess(workload: "syscalls")
      let source = try EventSource(buffer, process: child.id)
      let batches = try Self.batches(buffer, source, of: EventRecord.self)
      let link = try source.object.program("send_event").attachBySection()
      child.resume()
      var check = EventCheck(process: child.id)
      if isBatched {
        for try await batch in batches {
          #expect(!batch.isEmpty && batch.count <= 500)
          for record in batch { check.add(record) }
          if check.received == Self.work { break }
        }
      } else {
        for try await record in batches.records {
          check.add(record)
          if check.received == Self.work { break }
        }
      }
      #expect(try child.wait() == 0)
      try link.detach()
      check.expectComplete(try source.counts())
      #expect(check.systemCalls == [110: 100_000, 257: 8_000, 3: 3_000, 231: 1])
      #expect(batches.statistics.records == Self.work)
      #expect(batches.statistics.malformed == 0)
    }
  }

  @Test(arguments: EventSource.Buffer.allCases)
  func `records that do not have the expected size are counted as malformed, to the record`(
    buffer: EventSource.Buffer
  ) async throws {
    let child = try StoppedProcess(workload: "syscalls")
    let source = try EventSource(buffer, process: child.id, systemCall: 3)
    let batches = try Self.batches(buffer, source, of: InlineArray<10, UInt64>.self)
    let link = try source.object.program("send_event").attachBySection()
    #expect(try child.finish() == 0)
    try link.detach()
    let reader = Task { () -> Int in
      var count = 0
      for try await batch in batches { count += batch.count }
      return count
    }
    while batches.statistics.malformed < 3_000 { await Task.yield() }
    reader.cancel()
    #expect(try await reader.value == 0)
    #expect(batches.statistics.malformed == 3_000)
  }

  private static func batches<Record: BitwiseCopyable & Sendable>(
    _ buffer: EventSource.Buffer, _ source: EventSource, of type: Record.Type
  ) throws -> EventBatches<Record> {
    let events = try source.object.map("events")
    switch buffer {
    case .ring: return try RingBuffer(events).batches(of: Record.self, limit: 500)
    case .perf:
      return try PerfBuffer(events, pages: 4096).batches(limit: 500) { bytes in
        BitwiseBytes.load(Record.self, from: bytes)
      }
    }
  }

  @Test(arguments: EventSource.Buffer.allCases)
  func `the kernel filters by system call, and another process is not seen`(
    buffer: EventSource.Buffer
  ) throws {
    let child = try StoppedProcess(workload: "syscalls")
    let other = try StoppedProcess(workload: "syscalls")
    let source = try EventSource(buffer, process: child.id, systemCall: 257)
    var reader = try EventReader(buffer, source, pages: 1024)
    let link = try source.object.program("send_event").attachBySection()
    #expect(try other.finish() == 0)
    #expect(try child.finish() == 0)
    try link.detach()
    var check = EventCheck(process: child.id)
    _ = reader.drain(&check)
    check.expectComplete(try source.counts())
    #expect(check.systemCalls == [257: 8_000])
  }

  @Test func `records sent without a wake-up are flushed by reading, and do not wake`() throws {
    let child = try StoppedProcess(workload: "syscalls")
    let source = try EventSource(.ring, process: child.id, systemCall: 3)
    try source.object.setVariable("wake", to: UInt64(1))
    var ring = try RingBuffer(source.object.map("events"))
    let link = try source.object.program("send_event").attachBySection()
    #expect(try child.finish() == 0)
    try link.detach()
    var check = EventCheck(process: child.id)
    #expect(ring.drain(&check, limit: 1_000) { $0.add($1) } == 1_000)
    #expect(ring.drain(&check) { $0.add($1) } == 2_000)
    #expect(check.problems.isEmpty)
    #expect(ring.availableBytes == 0)
  }

  @Test(arguments: EventSource.Buffer.allCases)
  func `eight producers and one reader go on without a deadlock`(
    buffer: EventSource.Buffer
  ) throws {
    let seconds = getenv("EBPF_LONG_TESTS") == nil ? 2 : 60
    let source = try EventSource(buffer, process: getpid(), systemCall: 110, size: 1 << 20)
    var reader = try EventReader(buffer, source, pages: 64)
    let link = try source.object.program("send_event").attachBySection()
    let running = Shared(8)
    let deadline = ContinuousClock.now + .seconds(seconds)
    for _ in 0..<8 {
      try Thread.detach {
        while ContinuousClock.now < deadline {
          for _ in 0..<100 { _ = getppid() }
        }
        running.value.subtract(1, ordering: .acquiringAndReleasing)
      }
    }
    var check = EventCheck(process: getpid())
    while running.value.load(ordering: .acquiring) > 0 {
      if reader.drain(&check) == 0 { try reader.wait() }
    }
    // Other tests of this process may make the call too, until here.
    try link.detach()
    while reader.drain(&check) > 0 {}
    check.expectComplete(try source.counts())
    #expect(check.received > 10_000)
    #expect(reader.statistics.malformed == 0)
  }
}

/// Raised once, by one thread for another.
final class Flag: Sendable {
  private let value = Atomic<Bool>(false)
  func raise() { value.store(true, ordering: .releasing) }
  var isRaised: Bool { value.load(ordering: .acquiring) }
}
