internal import EBPFSystem

/// How a CPU profile is taken.
public struct CPUProfilerConfiguration: Sendable, Hashable {
  /// Which half of a stack is taken.
  public enum Stacks: Sendable, Hashable {
    /// Kernel and user frames.
    case both
    /// User frames only.
    case user
    /// Kernel frames only.
    case kernel
  }

  /// How user stacks are walked.
  public enum Unwinding: Sendable, Hashable {
    /// By tables made from the programs' `.eh_frame` where the kernel can (Linux 5.17, x86-64), else by
    /// frame pointers. Debian's libraries, for example, have no frame pointers.
    case automatic
    /// By frame pointers: cheaper, and right for code compiled with `-fno-omit-frame-pointer`.
    case framePointers
  }

  /// The rates that can be asked for, in samples a second on each CPU.
  public static let frequencies = 1...1000

  /// Samples a second on each CPU. 99 and not 100, so that sampling does not march in step with
  /// timers.
  public var frequency = 99
  /// Whose samples are recorded.
  public var filter = TracerFilter()
  /// Which frames are recorded.
  public var stacks = Stacks.both
  /// How user stacks are walked.
  public var unwinding = Unwinding.automatic
  /// Takes each user stack both ways and no kernel stacks, for ``CPUProfile/comparison``; refused where
  /// there are no unwind tables.
  public var comparesUnwinding = false
  /// The memory for unwind tables in the kernel, in bytes: 8 for each row; a C library has 25,000.
  /// What finds no room is walked by frame pointers.
  public var unwindBytes = 8 << 20
  /// Tells threads apart instead of summing over a process.
  public var separatesThreads = false
  /// Counts the idle task as well.
  public var includesIdle = false
  /// Samples this process too, which a profile of the whole machine otherwise leaves out; with it is
  /// left out what is forked from it, until that executes a program.
  public var includesSelf = false
  /// Recording ends by itself after this many samples; 0 for no limit.
  public var sampleLimit: UInt64 = 100_000

  /// ``unwindBytes`` in rows.
  var unwindRows: UInt32 { UInt32(clamping: max(unwindBytes / 8, 1)) }

  /// The ring of what the kernel sends: at least a second of nothing but new stacks, two of 1 KiB in
  /// each sample. A quarter of it wakes the reader.
  func ringBytes(processors: Int) -> UInt32 {
    let second = max(frequency, 1) * max(processors, 1) * 2048
    var bytes: UInt32 = 1 << 20
    while bytes < second, bytes < 1 << 26 { bytes <<= 1 }
    return bytes
  }

  /// 99 Hz on every CPU, everything but idle and this process.
  public init() {}

  /// 99 Hz, nothing but this process, for as long as it lives: for a service that profiles itself.
  public static var thisProcess: CPUProfilerConfiguration {
    var configuration = CPUProfilerConfiguration()
    configuration.filter.processes = [CurrentProcess.id]
    configuration.includesSelf = true
    configuration.sampleLimit = 0
    return configuration
  }
}

/// Rates and durations for common situations.
public enum ProfilePreset: String, Sendable, Hashable, CaseIterable {
  /// 19 Hz for 5 minutes.
  case production
  /// 49 Hz for 2 minutes.
  case staging
  /// 99 Hz for 1 minute.
  case development
  /// 199 Hz for half a minute.
  case debug

  /// Samples a second on each CPU.
  public var frequency: Int {
    switch self {
    case .production: 19
    case .staging: 49
    case .development: 99
    case .debug: 199
    }
  }

  /// How long to record, in seconds.
  public var seconds: Int {
    switch self {
    case .production: 300
    case .staging: 120
    case .development: 60
    case .debug: 30
    }
  }
}
