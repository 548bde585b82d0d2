/// A performance event to run a program at: what is counted, and how often it fires.
public struct PerfEventSpec: Sendable, Hashable {
  /// How often an event fires.
  public enum Rate: Sendable, Hashable {
    /// This many times a second; the kernel adapts the period.
    case frequency(UInt64)
    /// After each this many events; for clocks, nanoseconds.
    case period(UInt64)
  }

  /// `PERF_TYPE_*` or the number of a PMU.
  public var type: UInt32
  /// What to count; its meaning depends on the type.
  public var config: UInt64
  /// `config1`: for breakpoints the address.
  public var config1: UInt64 = 0
  /// `config2`: for breakpoints the length.
  public var config2: UInt64 = 0
  /// `HW_BREAKPOINT_*`: 1 read, 2 write, 4 execute.
  public var breakpointType: UInt32 = 0
  /// How often it fires.
  public var rate: Rate
  /// Not while in the kernel.
  public var excludesKernel = false
  /// Not while in user mode.
  public var excludesUser = false
  /// For a process: its new threads and children as well.
  public var inherits = false
  /// What messages call it.
  public var name: String

  /// Any event, by numbers.
  public init(type: UInt32, config: UInt64, rate: Rate, name: String) {
    self.type = type
    self.config = config
    self.rate = rate
    self.name = name
  }
}

// MARK: - The events of linux/perf_event.h

extension PerfEventSpec {
  /// `PERF_COUNT_SW_CPU_CLOCK`: by the clock, on every CPU that is not asleep.
  public static func cpuClock(hz: UInt64) -> PerfEventSpec { software(0, "cpu-clock", hz) }
  /// `PERF_COUNT_SW_TASK_CLOCK`: by the time a task runs.
  public static func taskClock(hz: UInt64) -> PerfEventSpec { software(1, "task-clock", hz) }
  /// `PERF_COUNT_SW_PAGE_FAULTS`; the context's `addr` is the address.
  public static func pageFaults(every period: UInt64 = 1) -> PerfEventSpec {
    PerfEventSpec(type: 1, config: 2, rate: .period(period), name: "page-faults")
  }
  /// `PERF_COUNT_SW_CONTEXT_SWITCHES`.
  public static func contextSwitches(every period: UInt64 = 1) -> PerfEventSpec {
    PerfEventSpec(type: 1, config: 3, rate: .period(period), name: "context-switches")
  }
  /// `PERF_COUNT_HW_CPU_CYCLES`; absent in most virtual machines.
  public static func cycles(hz: UInt64) -> PerfEventSpec {
    PerfEventSpec(type: 0, config: 0, rate: .frequency(hz), name: "cycles")
  }
  /// `PERF_COUNT_HW_INSTRUCTIONS`; absent in most virtual machines.
  public static func instructions(hz: UInt64) -> PerfEventSpec {
    PerfEventSpec(type: 0, config: 1, rate: .frequency(hz), name: "instructions")
  }
  /// A hardware breakpoint: each write to the `length` bytes at an address.
  public static func writes(to address: UInt64, length: UInt64) -> PerfEventSpec {
    var spec = PerfEventSpec(type: 5, config: 0, rate: .period(1), name: "breakpoint")
    spec.config1 = address
    spec.config2 = length
    spec.breakpointType = 2
    return spec
  }

  private static func software(_ config: UInt64, _ name: String, _ hz: UInt64) -> PerfEventSpec {
    PerfEventSpec(type: 1, config: config, rate: .frequency(hz), name: name)
  }

  /// True for software clocks, whose period is nanoseconds.
  var isClock: Bool { type == 1 && config <= 1 }
}

/// Where a performance event counts.
public struct PerfEventScope: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    case everyCPU
    case cpu(Int32)
    case process(Int32, cpu: Int32)
  }
  let kind: Kind

  /// Everything on every CPU that is online: one event for each.
  public static let everyCPU = PerfEventScope(kind: .everyCPU)
  /// Everything on one CPU.
  public static func cpu(_ number: Int) -> PerfEventScope {
    PerfEventScope(kind: .cpu(Int32(clamping: number)))
  }
  /// One process or thread (0 is the caller), wherever it runs.
  public static func process(_ id: Int32) -> PerfEventScope {
    PerfEventScope(kind: .process(id, cpu: -1))
  }
}
