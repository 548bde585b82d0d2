import EBPF
import EBPFSystem
import TestSupport

/// Records from the kernel: each that a program made is received, or counted as lost.
enum EventChecks {
  static let all = [
    Check("the ring buffer gives each of 111,001 records, or counts it as dropped") {
      let object = try Guest.load("ringbuf_events")
      var ring = try RingBuffer(object.map("events"))
      let total = try follow(object) { state in
        _ = ring.drain(&state) { $0.add($1) }
        _ = try ring.wait(timeout: .milliseconds(20))
      }
      try equal(ring.statistics.records, total.received, "the reader's own count")
      try equal(ring.statistics.malformed, 0, "malformed records")
    },
    Check("a performance buffer gives each of 111,001 records, or counts it as lost") {
      let object = try Guest.load("perfbuf_events")
      var buffer = try PerfBuffer(object.map("events"), pages: 64)
      let total = try follow(object) { state in
        _ = buffer.drain(&state) { $0.add($1) }
        _ = try buffer.wait(timeout: .milliseconds(20))
      }
      try equal(buffer.statistics.records, total.received, "the reader's own count")
      try equal(buffer.statistics.malformed, 0, "malformed records")
    },
  ]

  /// `struct event_counts`.
  private struct Counts: BitwiseCopyable {
    var produced: UInt64
    var dropped: UInt64
  }

  /// What has arrived; on one CPU the numbers rise, and what is missing was dropped.
  struct Received {
    var received: UInt64 = 0
    var next: UInt64 = 0
    var isOrdered = true

    mutating func add(_ record: RawSpan) {
      let sequence = record.unsafeLoadUnaligned(as: UInt64.self)
      isOrdered = isOrdered && sequence >= next
      next = sequence + 1
      received += 1
    }
  }

  /// Watches the system calls of `syscalls` until the program has made a record of each.
  private static func follow(
    _ object: LoadedObject, _ read: (inout Received) throws -> Void
  ) throws -> Received {
    let child = try StoppedProcess([Guest.syscalls])
    try object.setVariable("target_tgid", to: child.id)
    let link = try object.program("send_event").attachBySection()
    let counts = try PerCPUMap<UInt32, Counts>(object.map("sequences"))
    var state = Received()
    child.resume()
    let deadline = Clock.monotonic.now + 60_000_000_000
    while true {
      let values = try counts.values(for: 0) ?? []
      let produced = values.reduce(0) { $0 + $1.produced }
      try read(&state)
      if produced == 111_001 {
        try read(&state)
        break
      }
      try require(Clock.monotonic.now < deadline, "\(produced) records in a minute")
    }
    let values = try counts.values(for: 0) ?? []
    try equal(
      state.received + values.reduce(0) { $0 + $1.dropped }, 111_001, "received and dropped")
    try require(state.isOrdered, "records are out of order")
    try equal(try child.wait(), 0, "the status of syscalls")
    try link.detach()
    return state
  }
}
