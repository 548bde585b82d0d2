public import EBPFSystem
public import Synchronization

/// Reads the records that programs send through a `BPF_MAP_TYPE_PERF_EVENT_ARRAY` map: one buffer for
/// each CPU. Prefer ``RingBuffer`` from Linux 5.8 on: it keeps the order across CPUs and wakes less.
///
/// CPUs that come online later are not read. The kernel counts what it could not write; see
/// ``BufferStatistics/lost``.
public struct PerfBuffer: ~Copyable, Sendable {
  /// When the kernel wakes the reader.
  public enum Wakeup: Sendable, Hashable {
    /// After this many records on one CPU.
    case records(UInt32)
    /// When this many bytes wait on one CPU.
    case bytes(UInt32)
  }

  /// The map.
  public let map: RawMap
  @usableFromInline let cpus: [PerfBufferCPU]
  private let waitSet: WaitSet

  /// Opens a buffer on every online CPU and puts it into the map.
  ///
  /// - Parameters:
  ///   - pages: data pages for each CPU, a power of two. Beyond `kernel.perf_event_mlock_kb` for each
  ///     CPU it needs `CAP_IPC_LOCK`.
  ///   - wakeup: each wake-up costs more than many records.
  public init(
    _ map: RawMap, pages: Int = 16, wakeup: Wakeup = .records(1)
  ) throws(EBPFError) {
    guard map.type == .perfEventArray else {
      throw EBPFError(
        .invalidArgument, "map '\(map.name)' has type \(map.type.name), and is no perf event array",
        context: [.map(map.name)])
    }
    guard pages > 0, pages & (pages - 1) == 0, pages <= 1 << 20 else {
      throw EBPFError(
        .invalidArgument, "\(pages) pages for each CPU is not a power of two",
        context: [.map(map.name)])
    }
    let online: [Int]
    let set: WaitSet
    do throws(Errno) {
      online = try CPUSet.online().cpus
      set = try WaitSet()
    } catch {
      throw EBPFError.openingPerfBuffer(map, "cannot prepare", "open", error)
    }
    var cpus: [PerfBufferCPU] = []
    for cpu in online where cpu < Int(map.information.maxEntries) {
      guard let opened = try PerfBufferCPU.open(map, cpu: cpu, pages: pages, wakeup: wakeup) else {
        continue
      }
      do throws(Errno) { try set.add(opened.descriptor, tag: UInt64(cpu)) } catch {
        throw EBPFError.openingPerfBuffer(map, "cannot wait for CPU \(cpu)", "epoll_ctl", error)
      }
      cpus.append(opened)
    }
    self.map = map
    self.cpus = cpus
    self.waitSet = set
  }

  /// The descriptor to wait for with epoll: readable when a CPU's buffer is.
  public var fileDescriptor: Int32 { waitSet.descriptor }

  /// The CPUs that are read.
  public var cpuNumbers: [Int] { cpus.map(\.cpu) }

  /// Bytes written and not yet read, headers included, all CPUs together.
  public var availableBytes: Int { cpus.reduce(0) { $0 + $1.availableBytes } }

  /// What was read so far, all CPUs together.
  public var statistics: BufferStatistics {
    let counts = cpus.reduce(PerfBufferCounts()) { $0 + $1.counts }
    var statistics = BufferStatistics()
    statistics.records = counts.records
    statistics.bytes = counts.bytes
    statistics.lost = counts.lost
    statistics.malformed = counts.malformed
    return statistics
  }

  /// Passes every record to `body`, CPU after CPU, without waiting, and gives the space back.
  ///
  /// A record is a span into the buffer, valid during the call of `body`, and up to 7 bytes longer than
  /// what the program wrote; `state` is passed along because a captured variable would cost more than
  /// the record itself.
  ///
  /// - Returns: the number of records.
  @inlinable
  @discardableResult
  public mutating func drain<State: ~Copyable, Failure: Error>(
    _ state: inout State, limit: Int = .max,
    _ body: (inout State, RawSpan) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    var passed = 0
    for cpu in cpus where passed < limit {
      passed += try cpu.drain(&state, limit: limit - passed, body)
    }
    return passed
  }

  /// Waits until a record may be there; false when the time is over first.
  public func wait(timeout: Duration? = nil) throws(EBPFError) -> Bool {
    do throws(Errno) { return try Readiness.wait(for: [fileDescriptor], timeout: timeout) } catch {
      throw map.error(
        .system, "cannot wait for perf buffer '\(map.name)': \(error.text)", "poll", error,
        hint: nil)
    }
  }

  /// The records as an asynchronous sequence of arrays; see
  /// ``RingBuffer/batches(limit:interval:decode:)``.
  public consuming func batches<Element: Sendable>(
    limit: Int = 1024, interval: Duration? = nil,
    decode: @escaping @Sendable (RawSpan) -> Element?
  ) throws(EBPFError) -> EventBatches<Element> {
    let descriptor = fileDescriptor
    let name = map.name
    let shared = SharedPerfBuffer(self)
    return try EventBatches(
      descriptor: descriptor, name: name, interval: interval, hasData: { shared.hasData },
      read: { shared.read(limit: limit, decode) }, statistics: { shared.statistics })
  }
}

/// One CPU's event and its pages.
@usableFromInline
final class PerfBufferCPU: Sendable {
  let cpu: Int
  private let event: OwnedDescriptor
  @usableFromInline let memory: Mutex<PerfBufferMemory>

  private init(
    cpu: Int, event: consuming OwnedDescriptor, memory: consuming sending PerfBufferMemory
  ) {
    self.cpu = cpu
    self.event = event
    self.memory = Mutex(memory)
  }

  var descriptor: Int32 { event.rawValue }
  var availableBytes: Int { memory.withLock { $0.availableBytes } }
  var counts: PerfBufferCounts { memory.withLock { $0.counts } }

  /// Nil when the CPU went offline meanwhile.
  static func open(
    _ map: RawMap, cpu: Int, pages: Int, wakeup: PerfBuffer.Wakeup
  ) throws(EBPFError) -> PerfBufferCPU? {
    // PERF_TYPE_SOFTWARE, PERF_COUNT_SW_BPF_OUTPUT; PERF_SAMPLE_RAW.
    var request = PerfEventRequest(type: 1, config: 10)
    request.sampleType = 1 << 10
    request.period = 1
    switch wakeup {
    case .records(let count): request.wakeup = count
    case .bytes(let count):
      request.wakeup = count
      request.flags = .watermark
    }
    let event: OwnedDescriptor
    do throws(Errno) {
      event = try map.kernel.openPerfEvent(
        request, process: -1, cpu: Int32(clamping: cpu), flags: 0)
    } catch {
      if error == .noSuchDevice { return nil }
      throw EBPFError.openingPerfBuffer(
        map, "cannot open an event on CPU \(cpu)", "perf_event_open", error)
    }
    let memory: PerfBufferMemory
    do throws(Errno) {
      memory = try PerfBufferMemory(event: event.rawValue, pages: pages, kernel: map.kernel)
    } catch {
      throw EBPFError.openingPerfBuffer(
        map, "cannot map \(pages) pages for CPU \(cpu)", "mmap", error)
    }
    let number = event.rawValue
    try map.update(bytes(UInt32(cpu)), bytes(UInt32(bitPattern: number)))
    do throws(Errno) { try map.kernel.control(perfEvent: number, .enable) } catch {
      throw EBPFError.openingPerfBuffer(
        map, "cannot enable the event on CPU \(cpu)", "ioctl(PERF_EVENT_IOC_ENABLE)", error)
    }
    return PerfBufferCPU(cpu: cpu, event: event, memory: memory)
  }

  private static func bytes(_ number: UInt32) -> [UInt8] {
    BitwiseBytes.read(number) { BitwiseBytes.array($0) }
  }

  @inlinable
  func drain<State: ~Copyable, Failure: Error>(
    _ state: inout State, limit: Int, _ body: (inout State, RawSpan) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    try memory.withLock { (memory) throws(Failure) in
      try memory.consume(&state, limit: limit, body)
    }
  }
}

extension EBPFError {
  fileprivate static func openingPerfBuffer(
    _ map: RawMap, _ what: String, _ call: String, _ errno: Errno
  ) -> EBPFError {
    let message = "\(what) for perf buffer '\(map.name)': \(errno.text)"
    switch errno {
    case .accessDenied:
      return map.error(
        .denied, message, call, errno,
        hint: privilegeHint(needs: [.performanceMonitoring])
          + "; where kernel.perf_event_paranoid is 3, CAP_SYS_ADMIN")
    case .notPermitted:
      return map.error(
        .denied, message, call, errno,
        hint: call == "mmap"
          ? "use fewer pages, raise kernel.perf_event_mlock_kb, or add CAP_IPC_LOCK"
          : privilegeHint(needs: [.performanceMonitoring]))
    default: return map.error(.system, message, call, errno, hint: nil)
    }
  }
}
