internal import EBPF
internal import EBPFSystem

/// Reads the memory tracer's ring: stacks, events that found their table full, the life of processes
/// and out-of-memory kills.
struct MemoryCollector: ~Copyable {
  private var ring: RingBufferMemory
  private var received: Received

  /// A process seen first, or again.
  struct Announcement: Sendable {
    var process: ProcessIdentity
    var isNewProgram: Bool
    /// It runs a 32-bit program.
    var isCompat: Bool
  }

  /// What came through the ring.
  struct Received: Sendable {
    var stacks: StackTable
    /// Events that were not counted in the kernel because the table was full.
    private(set) var overflow: [MemorySiteKey: MemoryAmount] = [:]
    /// Such events that found no room here either.
    private(set) var sitesLost: UInt64 = 0
    private let overflowLimit: Int
    /// Processes announced since the last drain.
    var announced: [Announcement] = []
    /// Addresses of processes whose unwind rows are missing, since the last drain.
    var wanted: [(process: UInt32, address: UInt64)] = []
    /// Processes that ended since the last drain.
    var ended: [ProcessIdentity] = []
    var victims: [MemoryVictimEvent] = []
    /// Delivery times of announcements, in nanoseconds.
    var latencies = LatencyHistogram()
    /// Records that are not what they should be.
    var malformed: UInt64 = 0
    /// When the present drain began, in nanoseconds of the monotonic clock.
    var now: UInt64 = 0

    /// Has room for so many places beyond those of the kernel, and for the stacks of both.
    init(siteLimit: Int, overflowLimit: Int = 65_536) {
      self.overflowLimit = overflowLimit
      stacks = StackTable(limit: siteLimit + overflowLimit)
    }

    /// Counts an event that the kernel had no room for.
    mutating func add(_ event: MemorySiteEvent) {
      guard overflow[event.site] != nil || overflow.count < overflowLimit else {
        sitesLost += 1
        return
      }
      overflow[event.site, default: MemoryAmount()] += event.amount
    }
  }

  init(ring: consuming RingBufferMemory, siteLimit: Int) {
    self.ring = ring
    received = Received(siteLimit: siteLimit)
  }

  /// What a drain brought: the processes that were announced, the latest first, those that ended, and
  /// the addresses whose unwind rows are missing.
  struct News {
    var announced: [Announcement]
    var ended: [ProcessIdentity]
    var wanted: [(process: UInt32, address: UInt64)]
  }

  /// Reads everything that is there.
  mutating func drain(now: UInt64) -> News {
    received.now = now
    ring.consume(&received) { received, record in MemoryCollector.read(record, &received) }
    defer {
      received.announced.removeAll(keepingCapacity: true)
      received.ended.removeAll(keepingCapacity: true)
      received.wanted.removeAll(keepingCapacity: true)
    }
    var met: Set<ProcessIdentity> = []
    let announced = received.announced.reversed().filter {
      $0.isNewProgram || met.insert($0.process).inserted
    }
    return News(announced: announced, ended: received.ended, wanted: received.wanted)
  }

  /// What came so far.
  var result: Received { received }

  /// What found no room here.
  var lost: (sites: UInt64, stacks: UInt64) { (received.sitesLost, received.stacks.lost) }

  /// Records that were not what they should be.
  var malformed: UInt64 { ring.counts.malformed + received.malformed }

  /// `enum memory_event_kind`, after the stacks' own.
  private enum Kind {
    static let stack: UInt32 = 1
    static let site: UInt32 = 2
    static let process: UInt32 = 3
    static let exit: UInt32 = 4
    static let victim: UInt32 = 5
  }

  private static func read(_ record: RawSpan, _ received: inout Received) {
    switch record.integer(at: 0, as: UInt32.self, order: .host) {
    case Kind.stack:
      if received.stacks.add(record: record) { return }
    case Kind.site:
      if let event = BitwiseBytes.load(MemorySiteEvent.self, from: record) {
        received.add(event)
        return
      }
    case Kind.process:
      if let event = BitwiseBytes.load(MemoryProcessEvent.self, from: record) {
        if event.wanted == 0 {
          received.announced.append(
            Announcement(
              process: event.process, isNewProgram: event.isNewProgram != 0,
              isCompat: event.isCompat != 0))
        } else {
          received.wanted.append((event.process.processID, event.wanted))
        }
        received.latencies.record(from: event.time, to: received.now)
        return
      }
    case Kind.exit:
      if let event = BitwiseBytes.load(MemoryExitEvent.self, from: record) {
        received.ended.append(event.process)
        return
      }
    case Kind.victim:
      if let event = BitwiseBytes.load(MemoryVictimEvent.self, from: record) {
        received.victims.append(event)
        return
      }
    default: break
    }
    received.malformed += 1
  }
}
