import EBPF
import EBPFSystem
import Glibc
import TestSupport
import Testing

/// The record that `ringbuf_events` and `perfbuf_events` send (`event_record.h`).
struct EventRecord: BitwiseCopyable, Sendable {
  var sequence: UInt64
  var time: UInt64
  var cpu: UInt32
  var process: UInt32
  var thread: UInt32
  var systemCall: UInt32
  var filling: InlineArray<4, UInt64>
}

/// What one CPU produced, by the program's own count (`event_record.h`).
struct EventCounts: BTFRepresentable, Hashable, Sendable {
  var produced: UInt64
  var dropped: UInt64

  static var btfFields: [BTFField] {
    [BTFField("produced", \Self.produced), BTFField("dropped", \Self.dropped)]
  }
}

/// One of the two objects that send a record at each system call of a process.
struct EventSource {
  enum Buffer: String, CaseIterable, Codable, Sendable, CustomTestStringConvertible {
    case ring = "ringbuf_events.bpf.o"
    case perf = "perfbuf_events.bpf.o"

    var testDescription: String { "\(self) buffer" }
  }

  let object: LoadedObject

  /// Loads the object, for the system calls of a process: all, or those with one number.
  init(
    _ buffer: Buffer, process: Int32, systemCall: UInt32 = .max, size: UInt32 = 16 << 20
  ) throws {
    var options = LoadOptions()
    if buffer == .ring { options.maxEntries = ["events": size] }
    object = try LoadedObject(LoadedObjectTests.object(buffer.rawValue), options: options)
    try object.setVariable("target_tgid", to: process)
    try object.setVariable("target_syscall", to: systemCall)
  }

  /// What each CPU produced and dropped.
  func counts() throws -> [EventCounts] {
    try #require(
      try object.perCPUMap("sequences", key: UInt32.self, value: EventCounts.self).values(for: 0))
  }
}

/// A reader of either buffer, without waiting in it.
struct EventReader: ~Copyable {
  private var ring: RingBuffer?
  private var perf: PerfBuffer?

  init(_ buffer: EventSource.Buffer, _ source: EventSource, pages: Int = 4096) throws {
    let events = try source.object.map("events")
    switch buffer {
    case .ring:
      ring = try RingBuffer(events)
      perf = nil
    case .perf:
      ring = nil
      perf = try PerfBuffer(events, pages: pages, wakeup: .bytes(16_384))
    }
  }

  mutating func drain(_ check: inout EventCheck, limit: Int = .max) -> Int {
    if let count = ring?.drain(&check, limit: limit, { $0.add($1) }) { return count }
    return perf?.drain(&check, limit: limit) { $0.add($1) } ?? 0
  }

  func wait() throws {
    switch ring {
    case .some(let ring): _ = try ring.wait(timeout: .milliseconds(20))
    case .none: break
    }
    switch perf {
    case .some(let perf): _ = try perf.wait(timeout: .milliseconds(20))
    case .none: break
    }
  }

  var statistics: BufferStatistics {
    switch ring {
    case .some(let ring): return ring.statistics
    case .none: break
    }
    switch perf {
    case .some(let perf): return perf.statistics
    case .none: return BufferStatistics()
    }
  }
}

/// What a reader of the records has to find true of them.
struct EventCheck {
  let process: UInt32
  private(set) var received: UInt64 = 0
  private(set) var receivedOnCPU: [UInt32: UInt64] = [:]
  private(set) var systemCalls: [UInt32: UInt64] = [:]
  /// The converted times, of records that are to be compared with the wall clock.
  private(set) var times: ClosedRange<UInt64>?
  private(set) var latencies = LatencyHistogram()
  private(set) var exactLatencies: [UInt64] = []
  private(set) var problems: [String] = []
  private var last: [UInt32: (sequence: UInt64, time: UInt64)] = [:]

  init(process: Int32) { self.process = UInt32(process) }

  mutating func add(_ bytes: RawSpan) {
    guard let record = BitwiseBytes.load(EventRecord.self, from: bytes) else {
      return report("a record of \(bytes.byteCount) bytes")
    }
    add(record)
  }

  mutating func add(_ record: EventRecord) {
    received += 1
    receivedOnCPU[record.cpu, default: 0] += 1
    systemCalls[record.systemCall, default: 0] += 1
    if let last = last[record.cpu] {
      if record.sequence <= last.sequence { report("\(record.sequence) after \(last.sequence)") }
      if record.time < last.time { report("time goes back from \(last.time) to \(record.time)") }
    }
    last[record.cpu] = (record.sequence, record.time)
    for index in 0..<4
    where record.filling[index] != record.sequence &* (UInt64(index) + 1) {
      report("record \(record.sequence) is torn")
    }
    if record.process != process { report("a record of process \(record.process)") }
    let now = Clock.monotonic.now
    latencies.record(from: record.time, to: now)
    if record.time > now { report("a record from the future") }
    if exactLatencies.count < 200_000 { exactLatencies.append(now &- record.time) }
    times = min(times?.lowerBound ?? .max, record.time)...max(times?.upperBound ?? 0, record.time)
  }

  private mutating func report(_ problem: String) {
    if problems.count < 10 { problems.append(problem) }
  }

  /// Received and dropped are what was produced, on each CPU.
  func expectComplete(_ counts: [EventCounts]) {
    #expect(problems.isEmpty)
    for (cpu, count) in counts.enumerated() {
      #expect(
        receivedOnCPU[UInt32(cpu), default: 0] + count.dropped == count.produced, "CPU \(cpu)")
    }
  }
}
