internal import EBPF
internal import EBPFSystem

/// Reads the profiler's ring: stacks, samples that found their table full, processes seen first.
struct SampleCollector: ~Copyable {
  private var ring: RingBufferMemory
  private var received = Received()

  /// What came through the ring.
  struct Received: Sendable {
    var stacks = StackTable()
    /// Samples that were not counted in the kernel because the table was full.
    var overflow: [ProfilerKey: UInt64] = [:]
    /// Samples of threads that were at work on a span.
    var linked: [SampleIdentity: UInt64] = [:]
    /// Processes announced since the last drain.
    var announced: [ProcessIdentity] = []
    /// Addresses of processes whose unwind rows are missing, since the last drain.
    var wanted: [(process: UInt32, address: UInt64)] = []
    /// The cgroups of processes that were announced; also by the identity without an image, which a
    /// process has while it begins or ends.
    var cgroups: [ProcessIdentity: UInt64] = [:]
    /// Waits and threads: of the wall profiler only.
    var wall = WallLedger()
    /// Delivery times of announcements, in nanoseconds.
    var latencies = LatencyHistogram()
    /// Records that are not what they should be.
    var malformed: UInt64 = 0
    /// When the present drain began, in nanoseconds of the monotonic clock.
    var now: UInt64 = 0

    /// Takes one record of the ring: `struct profiler_stack_event`, `profiler_sample_event`,
    /// `profiler_process_event`, `wall_wait_event`, `wall_thread_event`, `wall_wake_event` or
    /// `profiler_linked_event`.
    mutating func add(_ record: RawSpan) {
      switch record.integer(at: 0, as: UInt32.self, order: .host) {
      case 1:
        if stacks.add(record: record) { return }
      case 2:
        if let weight = record.integer(at: 4, as: UInt32.self, order: .host),
          let key = ProfilerKey(record: record, at: 8)
        {
          overflow[key, default: 0] += UInt64(weight)
          return
        }
      case 3:
        if let start = record.integer(at: 8, as: UInt64.self, order: .host),
          let image = record.integer(at: 16, as: UInt64.self, order: .host),
          let process = record.integer(at: 24, as: UInt32.self, order: .host),
          let time = record.integer(at: 32, as: UInt64.self, order: .host),
          let address = record.integer(at: 48, as: UInt64.self, order: .host),
          let cgroup = record.integer(at: 56, as: UInt64.self, order: .host)
        {
          let identity = ProcessIdentity(start: start, image: image, processID: process)
          cgroups[identity] = cgroup
          cgroups[identity.withoutImage] = cgroup
          if address != 0 {
            wanted.append((process, address))
          } else if image != 0 {
            announced.append(identity)
          }
          latencies.record(from: time, to: now)
          return
        }
      case 4:
        if wall.addWait(record) { return }
      case 5:
        if wall.addEnded(record) { return }
      case 6:
        if wall.addWake(record) { return }
      case 7:
        if let weight = record.integer(at: 4, as: UInt32.self, order: .host),
          let key = ProfilerKey(record: record, at: 8),
          let span = SpanLink(record: record, at: 8 + MemoryLayout<ProfilerKey>.size)
        {
          linked[SampleIdentity(key: key, span: span), default: 0] += UInt64(weight)
          return
        }
      default: break
      }
      malformed += 1
    }
  }

  init(ring: consuming RingBufferMemory) { self.ring = ring }

  /// Reads everything that is there. Returns the processes announced, each once, the latest first, and
  /// the addresses whose unwind rows are missing.
  mutating func drain(
    now: UInt64
  ) -> (announced: [ProcessIdentity], wanted: [(process: UInt32, address: UInt64)]) {
    received.now = now
    ring.consume(&received) { received, record in received.add(record) }
    var met: Set<ProcessIdentity> = []
    let announced = received.announced.reversed().filter { met.insert($0).inserted }
    received.announced.removeAll(keepingCapacity: true)
    defer { received.wanted.removeAll(keepingCapacity: true) }
    return (announced, received.wanted)
  }

  /// What came so far.
  var result: Received { received }

  /// Records of the ring that its own checks refused.
  var malformed: UInt64 { ring.counts.malformed + received.malformed }
}

extension ProfilerKey {
  /// The key at `offset` of a record; nil when it does not fit.
  init?(record: RawSpan, at offset: Int) {
    func word(_ index: Int) -> UInt64? {
      record.integer(at: offset + 8 * index, as: UInt64.self, order: .host)
    }
    func half(_ index: Int) -> UInt32? {
      record.integer(at: offset + 4 * index, as: UInt32.self, order: .host)
    }
    guard let start = word(0), let image = word(1), let id = half(4),
      let userLow = word(3), let userHigh = word(4),
      let kernelLow = word(5), let kernelHigh = word(6),
      let thread = half(14), let flags = half(15),
      let first = word(8), let second = word(9)
    else { return nil }
    process = ProcessIdentity(start: start, image: image, processID: id)
    userStack = StackID(low: userLow, high: userHigh)
    kernelStack = StackID(low: kernelLow, high: kernelHigh)
    threadID = thread
    self.flags = flags
    command = CommandName(words: first, second)
  }
}
